"""RateML's own CUDA kernels, as they come with tvb-contrib, compiled for the host and run."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHIM = Path(__file__).parent / "cuda_host"
Floats = NDArray[np.float32]

LAUNCH = """
#include "cuda_on_host.h"
#include "kernel.c"
extern "C" void launch(const unsigned *grid, unsigned i_step, unsigned n_node, unsigned nh, unsigned n_step,
                       unsigned size, float dt, float *weights, float *lengths, float *params, float *state,
                       float *tavg)
{{
    FOR_EVERY_THREAD(grid[0], grid[1], grid[2], grid[3],
                     {name}(i_step, n_node, nh, n_step, size, dt, weights, lengths, params, state, tavg));
}}
"""


class RatemlKernel:
    """A kernel of RateML with `changes` of its text made; each must stand in it exactly once."""

    def __init__(self, source: Path, folder: Path, changes: Mapping[str, str]) -> None:
        text = source.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "kernel.c").write_text(text, encoding="utf-8")
        (folder / "launch.cpp").write_text(LAUNCH.format(name=source.stem), encoding="utf-8")
        library = folder / "kernel.so"
        command = ["g++", "-O1", "-w", "-shared", "-fPIC", f"-I{SHIM}", "-o", str(library), str(folder / "launch.cpp")]
        subprocess.run(command, check=True)
        self._launch = ctypes.CDLL(str(library)).launch

    def launch(
        self,
        *,
        weights: Floats,
        lengths: Floats,
        params: Floats,
        state: Floats,
        first_step: int,
        n_steps: int,
        dt: float,
        grid: tuple[int, int, int, int] | None = None,
    ) -> Floats:
        """One launch: means of the exposures over its steps, (exposure, region, instance), then rows of zeros.

        RateML's kernels set as many sums to zero as there are states, whatever is exposed, so there are as many rows.

        `params` (parameter, instance) and `state` (time, variable, region, instance), which is advanced in place, are
        laid out as the kernel has them. `grid` has blocks and threads along x and y; one row of threads if None.
        """
        rows, n_states, n_node, size = state.shape
        means = np.zeros((n_states, n_node, size), np.float32)
        arrays = [np.ascontiguousarray(item, np.float32) for item in (weights, lengths, params)]
        assert state.flags.c_contiguous
        assert state.dtype == np.float32
        shape = np.array(grid or (1, 1, size, 1), np.uintc)
        counts = [ctypes.c_uint(item) for item in (first_step, n_node, rows, n_steps, size)]
        pointers = [item.ctypes.data_as(ctypes.c_void_p) for item in (*arrays, state, means)]
        self._launch(shape.ctypes.data_as(ctypes.c_void_p), *counts, ctypes.c_float(dt), *pointers)
        return means

    def run(self, weights: Floats, lengths: Floats, params: Floats, start: Floats, samples: int, dt: float) -> Floats:
        """Means over every ten steps, (instance, exposure, sample, region), from `start` (variable, region).

        The history equals the start. The first launch is not at step 0, where the kernel would set the first variable
        to zero. The ring has two rows more than the longest delay in the sweep: with fewer, a region would read what
        one before it wrote in the same step.
        """
        speeds = params[0]
        rows = int(lengths.max() / speeds.min() / dt + 0.5) + 2
        size = params.shape[1]
        state = np.tile(np.asarray(start, np.float32)[None, :, :, None], (rows, 1, 1, size))
        means = [
            self.launch(
                weights=weights,
                lengths=lengths,
                params=params,
                state=state,
                first_step=rows + 10 * sample,
                n_steps=10,
                dt=dt,
            )
            for sample in range(samples)
        ]
        return np.stack(means, axis=1).transpose(3, 0, 1, 2)
