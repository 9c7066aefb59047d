"""What a CUDA adapter asks of a Python package that speaks to NVIDIA's driver: the same dozen calls of each.

An implementation is one module that translates these calls and nothing more; what they are used for is in cuda.py.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ratemlx.runtime.arrays import AnyArray


@dataclass(frozen=True)
class GpuFacts:
    """A device as its driver describes it; `driver` is the newest CUDA version that the driver runs."""

    name: str
    number: int
    capability: tuple[int, int]
    multiprocessors: int
    total_bytes: int
    driver: tuple[int, int]


class CudaFailure(Exception):  # noqa: N818
    """A call of the driver that did not succeed, before anybody has said what it means to a user."""

    def __init__(self, call: str, code: int | None, text: str) -> None:
        self.call, self.code, self.text = call, code, text
        super().__init__(f"{call}: {text}")


class Binding(Protocol):
    """One device, seen through one package. Streams, events and functions are the package's own objects.

    All but `facts` must be called within `current()`. Every call may raise CudaFailure.
    """

    @property
    def label(self) -> str:
        """The package and its version."""

    def facts(self) -> GpuFacts:
        """What the device is."""

    def current(self) -> AbstractContextManager[None]:
        """Make the device's primary context, which other libraries share, this thread's current one within it."""

    def free_bytes(self) -> int:
        """Free memory of the device."""

    def allocate(self, size: int) -> int:
        """The address of new memory of the device."""

    def free(self, address: int) -> None:
        """Give back memory of the device; waits for all of its work."""

    def pinned(self, size: int) -> AnyArray:
        """New page-locked memory of the host, as bytes; given back when the last view of it is gone."""

    def zero(self, address: int, size: int, stream: Any) -> None:
        """Queue setting bytes to zero."""

    def copy_in(self, address: int, array: AnyArray, stream: Any) -> None:
        """Queue a copy of a contiguous array to the device."""

    def copy_out(self, array: AnyArray, address: int, stream: Any) -> None:
        """Queue a copy from the device into a contiguous array."""

    def stream(self) -> Any:
        """A new stream."""

    def record(self, stream: Any) -> Any:
        """An event that happens when what is queued in a stream now is done."""

    def wait(self, stream: Any, event: Any) -> None:
        """Let what is queued in a stream from now on begin after an event."""

    def finish(self, what: Any) -> None:
        """Wait until a stream is empty, or until an event has happened."""

    def synchronize(self) -> None:
        """Wait for all work of the device."""

    def load(self, image: bytes) -> Callable[[str], Any]:
        """Load compiled code; gives a look-up of its functions by name."""

    def launcher(
        self, function: Any, grid: tuple[int, int], threads: tuple[int, int], arguments: ctypes.Structure, stream: Any
    ) -> Callable[[], None]:
        """A call that queues a function, with `arguments` by value as they are then: all that a launch costs."""
