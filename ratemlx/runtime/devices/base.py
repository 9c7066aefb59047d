"""What the engine asks of a device. An adapter is one module that implements these calls; the engine knows no other.

Arrays belong to a device's own memory: the engine uploads, passes addresses in ctypes structures, and downloads. Work
is queued: a call may return before the work is done, and a queue's work is done in the order in which it was given.
"""

from __future__ import annotations

import ctypes
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
        """Where it begins, as a kernel sees it."""


class Download(Protocol):
    """A copy on its way to host memory."""

    def result(self) -> AnyArray:
        """The array; waits for the work that was queued before the download, and for the copy.

        It may be a view of memory that the same buffer's next download, or later work on the buffer, overwrites.
        """


class Queue(Protocol):
    """Work of one batch, done in the order in which it is given; the queues of a device run side by side."""

    def download(self, buffer: Buffer) -> Download:
        """Begin to copy a buffer as the work queued so far will leave it."""

    def synchronize(self) -> None:
        """Wait until all work of this queue is done."""


class Kernel(Protocol):
    """A compiled model kernel. The batch's structure is copied when a call is made."""

    def start(self, batch: Batch, queue: Queue) -> None:
        """Fill the histories of all tiles from their states."""

    def advance(self, batch: Batch, queue: Queue) -> None:
        """Advance all tiles by `batch.n_steps`, however many launches that takes."""


class Program(Protocol):
    """Functions of a C source of the package, compiled. They take a structure and run over tiles and rows of lanes.

    `NAME` is `void ratemlx_NAME(const Arguments *, int32_t first_tile, int32_t last_tile)` on the CPU, which goes over
    the rows itself, and `extern "C" __global__ void NAME_kernel(const Arguments)` on a GPU, where block (tile, row) has
    RATEMLX_LANES threads.
    """

    def run(self, function: str, arguments: ctypes.Structure, tiles: int, rows: int, queue: Queue) -> None:
        """Queue a function over all tiles and rows; the structure is copied."""


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

    def load_program(self, source: Path, definitions: Mapping[str, str]) -> Program:
        """Compile a C source of the package; raises KernelError or DeviceError."""

    def queue(self) -> Queue:
        """A new queue."""

    def upload(self, array: AnyArray) -> Buffer:
        """Copy an array to the device; done when this returns."""

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Buffer:
        """A new array of zeros on the device; raises DeviceError when memory is short."""

    def array(self, buffer: Buffer) -> AnyArray | None:
        """The buffer's memory as an array (NumPy's on a CPU, CuPy's on a GPU), or None where no library offers it."""

    def synchronize(self) -> None:
        """Wait until the work of all queues is done."""

    def close(self) -> None:
        """Give back threads and memory; the device cannot be used afterwards."""
