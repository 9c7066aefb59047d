"""Runs of the shipped models' committed CUDA kernels on the devices that these tests are for.

RATEMLX_GPU_DEVICES names them, separated by commas; otherwise all packages that reach a GPU are tried where there is
one. RATEMLX_GPU_DURATION shortens runs (ms), for a device that only plays a GPU.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratemlx.runtime import RunSpec, run
from tests.support.shipped import GENERATED, KINDS

MODULES = {"cuda:pycuda": "pycuda", "cuda:cuda-core": "cuda.bindings"}
Series = NDArray[Any]


def devices() -> tuple[str, ...]:
    """Names of the devices to test; none where there is no GPU."""
    asked = os.environ.get("RATEMLX_GPU_DEVICES", "")
    if asked:
        return tuple(asked.split(","))
    return adapters() if Path("/dev/nvidiactl").exists() else ()


def adapters() -> tuple[str, ...]:
    """Devices by all packages that are installed and reach GPUs."""
    return tuple(name for name, module in MODULES.items() if _is_there(module))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def duration(wanted: float) -> float:
    """The length of a run, ms: as wanted, or as short as the environment asks for."""
    return min(wanted, float(os.environ.get("RATEMLX_GPU_DURATION", wanted)))


def spec(model: str, device: str, **settings: Any) -> RunSpec:
    """A run of a shipped model on a device."""
    return RunSpec(folder=GENERATED / model / KINDS.get(device, "cuda"), device=device, **settings)


def series(model: str, device: str, **settings: Any) -> Series:
    """Time series of a run, (instance, exposure, time, region)."""
    result = run(spec(model, device, **settings))
    assert result is not None
    values: Series = np.asarray(result.time_series.values)
    return values


if __name__ == "__main__":
    found = adapters()
    print(",".join(found))
    sys.exit(0 if found else 1)
