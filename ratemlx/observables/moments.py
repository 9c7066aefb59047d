"""Moments and functional connectivity of a batch, added up block by block while it runs.

Borders of blocks are counted from the first sample that is kept, so a result does not depend, to the bit, on the chunks
in which samples arrive. The arithmetic is in kernels/moments.cu; here is what is called when.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from ratemlx.observables.layout import Layout, by_instance
from ratemlx.observables.programs import BLOCK, GROUP, integers, load, pointers
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.base import Buffer, Device, Program, Queue

PROGRAM = "moments"
"""Name of the C program."""
MOST_ROWS = 65_535
"""Of a GPU's grid."""
FLAT_UNITS = 4
"""A series is flat if its standard deviation is at most so many units of rounding of its largest value."""


class Arguments(ctypes.Structure):
    """Twin of the structure in kernels/moments.cu."""

    _fields_ = [
        *integers("n_exposures", "n_regions", "n_chosen", "capacity", "first", "n_samples", "filled"),
        *integers("pairs", "flat_units", "first_row", "n_rows", "unused"),
        ("count", ctypes.c_int64),
        *pointers("samples", "chosen", "block", "mean", "second", "delta", "spread", "minimum", "maximum"),
        *pointers("products", "correlations", "flat"),
    ]


def bytes_per_instance(layout: Layout, n_chosen: int, *, pairs: bool) -> int:
    """Bytes that an instance takes on a device."""
    series = n_chosen * layout.n_regions
    sums = series * (BLOCK * layout.item + 4 * 8 + 3 * layout.item)
    return sums + (n_chosen * layout.n_pairs * (8 + layout.item) if pairs else 0)


class MomentsProgram:
    """The compiled program, for all batches of a run on one device."""

    def __init__(
        self, device: Device, layout: Layout, chosen: tuple[str, ...], first_kept: int, *, pairs: bool
    ) -> None:
        self.device, self.layout, self.chosen = device, layout, chosen
        self.first_kept, self.pairs = first_kept, pairs
        self.program: Program = load(PROGRAM, layout, device)

    def observer(self, n_instances: int, capacity: int) -> MomentsObserver:
        """For one batch, whose buffers of samples have room for `capacity` of them."""
        return MomentsObserver(self, n_instances, capacity)


class MomentsObserver:
    """Means, variances, extremes and, if asked for, correlations of one batch."""

    def __init__(self, run: MomentsProgram, n_instances: int, capacity: int) -> None:
        self._run, self._n_instances = run, n_instances
        layout, device = run.layout, run.device
        self._tiles = layout.tiles(n_instances)
        self._n_series = len(run.chosen) * layout.n_regions
        places = np.array([layout.exposures.index(name) for name in run.chosen], dtype=np.int32)
        double, own = np.dtype(np.float64), layout.dtype

        def per_series(dtype: np.dtype[Any], *inner: int) -> Buffer:
            return device.allocate((self._tiles, self._n_series, *inner, layout.lanes), dtype)

        self._buffers: dict[str, Buffer] = {
            "chosen": device.upload(places),
            "block": per_series(own, BLOCK),
            **{name: per_series(double) for name in ("mean", "second", "delta", "spread")},
            **{name: per_series(own) for name in ("minimum", "maximum")},
        }
        if run.pairs:
            pairs = (self._tiles, len(run.chosen), layout.n_pairs, layout.lanes)
            self._buffers["products"] = device.allocate(pairs, double)
            self._buffers["correlations"] = device.allocate(pairs, own)
            self._buffers["flat"] = per_series(own)
        self._arguments = Arguments(
            n_exposures=len(layout.exposures),
            n_regions=layout.n_regions,
            n_chosen=len(run.chosen),
            capacity=capacity,
            pairs=int(run.pairs),
            flat_units=FLAT_UNITS,
            **{name: buffer.address for name, buffer in self._buffers.items()},
        )

    def take(self, samples: Buffer, first_sample: int, n_samples: int, queue: Queue) -> None:
        """Add a chunk of samples, the transient's left out."""
        skipped = min(max(0, self._run.first_kept - first_sample), n_samples)
        if skipped == n_samples:
            return
        arguments = self._arguments
        arguments.samples = samples.address
        arguments.first, arguments.n_samples = skipped, n_samples - skipped
        if self._run.device.target == "cpp":
            self._call("take", 1, queue)
            whole, arguments.filled = divmod(arguments.filled + arguments.n_samples, BLOCK)
            arguments.count += whole * BLOCK
        else:
            self._take_in_steps(n_samples, queue)

    def finish(self, queue: Queue) -> Mapping[str, AnyArray]:
        """mean, variance, minimum, maximum: (instance, exposure, region); fc: (instance, exposure, pair); flat."""
        arguments = self._arguments
        if arguments.filled:
            self._close_block(queue)
        found = {name: self._download(name, queue) for name in ("mean", "second", "minimum", "maximum")}
        found["variance"] = found.pop("second") / arguments.count
        for name in ("minimum", "maximum"):
            found[name][~np.isfinite(found["mean"])] = np.nan
        if self._run.pairs:
            self._call("correlate", self._n_series, queue)
            found["flat"] = self._download("flat", queue) == 1
            shape = (self._n_instances, len(self._run.chosen), self._run.layout.n_pairs)
            found["fc"] = by_instance(self._arrived("correlations", queue), self._n_instances).reshape(shape)
        return found

    def _take_in_steps(self, end: int, queue: Queue) -> None:
        """The same as `take` of the program, where every step runs over all tiles and rows side by side."""
        arguments = self._arguments
        while arguments.first < end:
            arguments.n_samples = min(end - arguments.first, BLOCK - arguments.filled)
            self._call("gather", self._n_series, queue)
            arguments.filled += arguments.n_samples
            arguments.first += arguments.n_samples
            if arguments.filled == BLOCK:
                self._close_block(queue)

    def _close_block(self, queue: Queue) -> None:
        arguments = self._arguments
        self._call("close_block", self._n_series, queue)
        if self._run.pairs:
            self._multiply(queue)
        arguments.count += arguments.filled
        arguments.filled = 0

    def _multiply(self, queue: Queue) -> None:
        arguments, groups = self._arguments, -(-self._run.layout.n_regions // GROUP)
        rows = len(self._run.chosen) * groups * (groups + 1) // 2
        for first in range(0, rows, MOST_ROWS):
            arguments.first_row, arguments.n_rows = first, min(MOST_ROWS, rows - first)
            self._call("multiply", arguments.n_rows, queue)

    def _call(self, function: str, rows: int, queue: Queue) -> None:
        self._run.program.run(function, self._arguments, self._tiles, rows, queue)

    def _arrived(self, name: str, queue: Queue) -> AnyArray:
        return queue.download(self._buffers[name]).result()

    def _download(self, name: str, queue: Queue) -> AnyArray:
        shape = (self._n_instances, len(self._run.chosen), self._run.layout.n_regions)
        return by_instance(self._arrived(name, queue), self._n_instances).reshape(shape)
