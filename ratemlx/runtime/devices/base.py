"""What the engine asks of a device. An adapter is one module that implements these calls; the engine knows no other.

Arrays belong to a device's own memory: the engine uploads, passes addresses in `abi.Batch`, and downloads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from ratemlx.abi import Batch, Manifest, Precision
from ratemlx.runtime.arrays import AnyArray

Target = Literal["cpp", "cuda"]


class Buffer(Protocol):
    """An array in a device's memory; it lives as long as this object."""

    @property
    def address(self) -> int:
        """Where it begins, as the kernel sees it."""

    def read(self) -> AnyArray:
        """Its contents in host memory (a copy, or a view that later calls may change)."""


class Kernel(Protocol):
    """A compiled kernel. Calls may return before the work is done; `Device.synchronize` waits."""

    def start(self, batch: Batch) -> None:
        """Fill the histories of all tiles from their states."""

    def advance(self, batch: Batch) -> None:
        """Advance all tiles by `batch.n_steps`, however many launches that takes."""


class Device(Protocol):
    """Something that runs kernels."""

    @property
    def name(self) -> str:
        """What it is, for people: model, threads or memory."""

    @property
    def target(self) -> Target:
        """Which generated folder it runs."""

    @property
    def workers(self) -> int:
        """Tiles that it works on at the same time."""

    def lanes(self, precision: Precision) -> int:
        """Instances of a tile that suit it; never alters results."""

    def free_bytes(self) -> int:
        """Memory that is free now."""

    def load(self, folder: Path, manifest: Manifest, definitions: Mapping[str, str]) -> Kernel:
        """Compile a generated folder's kernel; raises KernelError or DeviceError."""

    def upload(self, array: AnyArray) -> Buffer:
        """Copy an array to the device."""

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Buffer:
        """A new array of zeros on the device."""

    def synchronize(self) -> None:
        """Wait until all work is done."""

    def close(self) -> None:
        """Give back threads and memory; the device cannot be used afterwards."""
