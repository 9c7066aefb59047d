"""The C programs of observables: where their sources are, and what they are compiled with.

Knows nothing of what they compute.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from ratemlx.observables.layout import Layout
from ratemlx.resources import PACKAGE
from ratemlx.runtime.devices.base import Device, Program, Target

KERNELS = PACKAGE / "observables" / "kernels"
BLOCK = 64
"""Samples that are summed up in the samples' own precision. Results depend on it in their last digits."""
GROUP = 4
"""Regions of a tile of the matrix of pairs, of which sums are kept in registers: 4 x 4 of them. Alters no result."""
SOURCES = ("moments", "balloon")


def source(name: str) -> Path:
    """The C source of a program."""
    return KERNELS / f"{name}.cu"


def definitions(layout: Layout, target: Target) -> dict[str, str]:
    """Preprocessor definitions for samples of this layout."""
    chosen = {"RATEMLX_LANES": str(layout.lanes), "RATEMLX_OBSERVED_BLOCK": str(BLOCK)}
    chosen["RATEMLX_OBSERVED_GROUP"] = str(GROUP)
    if layout.dtype == "float64":
        chosen["RATEMLX_SAMPLES_FLOAT64"] = "1"
    if target == "cuda":
        # A compiler of CUDA knows what it is and does not look at this.
        chosen["RATEMLX_EMULATED"] = "1"
    return chosen


def load(name: str, layout: Layout, device: Device) -> Program:
    """Compile a program for a device, or take it from the cache; raises KernelError or DeviceError."""
    return device.load_program(source(name), definitions(layout, device.target))


def integers(*names: str) -> list[tuple[str, type[ctypes.c_int32]]]:
    """Fields of a structure."""
    return [(name, ctypes.c_int32) for name in names]


def numbers(*names: str) -> list[tuple[str, type[ctypes.c_double]]]:
    """Fields of a structure."""
    return [(name, ctypes.c_double) for name in names]


def pointers(*names: str) -> list[tuple[str, type[ctypes.c_void_p]]]:
    """Fields of a structure."""
    return [(name, ctypes.c_void_p) for name in names]
