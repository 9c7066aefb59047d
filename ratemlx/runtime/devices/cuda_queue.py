"""Queues of a CUDA device: kernels in one stream, copies to the host in another, so that both go on side by side.

Knows bindings and memory, and nothing of what is launched.
"""

from __future__ import annotations

import contextlib
import ctypes
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.base import Buffer
from ratemlx.runtime.devices.cuda_binding import Binding
from ratemlx.runtime.devices.cuda_memory import PinnedMemory

Session = Callable[[], AbstractContextManager[None]]
"""Makes a device's context current and says what failures mean."""


class DeviceBuffer:
    """An array in a device's memory. CuPy and others take it as it is, by `__cuda_array_interface__`."""

    def __init__(
        self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any], release: Callable[[int, int], None]
    ) -> None:
        self.address, self.shape, self.dtype = address, shape, dtype
        self.size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self.host: AnyArray | None = None
        """Where downloads go, page-locked; none before the first one."""
        self._release = weakref.finalize(self, release, address, self.size)
        self._release.atexit = False

    def close(self) -> None:
        """Give the memory back now; it is given back anyway when nobody holds the buffer."""
        self._release()

    @property
    def __cuda_array_interface__(self) -> dict[str, object]:
        """The CUDA Array Interface, version 3."""
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address, False),
            "strides": None,
            "version": 3,
        }


@dataclass(eq=False)
class Lane:
    """Two streams and what leaves the device through the second: by address, its event and the buffer."""

    kernels: Any
    copies: Any
    leaving: dict[int, tuple[Any, DeviceBuffer]] = field(default_factory=dict)


class CudaDownload:
    """A copy on its way to page-locked memory."""

    def __init__(self, queue: CudaQueue, event: Any, buffer: DeviceBuffer, array: AnyArray) -> None:
        self._queue, self._event, self._buffer, self._array = queue, event, buffer, array

    def result(self) -> AnyArray:
        """The array, a view of memory that the buffer's next download overwrites; waits for this copy only."""
        self._queue.arrived(self._event, self._buffer)
        return self._array


class CudaQueue:
    """Kernels in the order in which they are given; downloads leave while later kernels run."""

    def __init__(self, binding: Binding, pinned: PinnedMemory, session: Session, lane: Lane) -> None:
        self._binding, self._pinned, self._session, self._lane = binding, pinned, session, lane

    @property
    def stream(self) -> Any:
        """The stream of kernels, as the binding knows it."""
        return self._lane.kernels

    def download(self, buffer: Buffer) -> CudaDownload:
        """Begin to copy a buffer as the work queued so far leaves it."""
        assert isinstance(buffer, DeviceBuffer)
        with self._session():
            if buffer.host is None:
                buffer.host = self._pinned.take(buffer.size)
            self._binding.wait(self._lane.copies, self._binding.record(self._lane.kernels))
            self._binding.copy_out(buffer.host, buffer.address, self._lane.copies)
            event = self._binding.record(self._lane.copies)
        self._lane.leaving[buffer.address] = event, buffer
        return CudaDownload(self, event, buffer, buffer.host.view(buffer.dtype).reshape(buffer.shape))

    def wait_for_copies_of(self, arguments: ctypes.Structure) -> None:
        """Hold back kernels that take `arguments` until the arrays that these point to have left; within a session."""
        if self._lane.leaving:
            for address in _addresses(arguments) & self._lane.leaving.keys():
                self._binding.wait(self._lane.kernels, self._lane.leaving[address][0])

    def arrived(self, event: Any, buffer: DeviceBuffer) -> None:
        """Wait until a download has arrived."""
        with self._session():
            self._binding.finish(event)
        if self._lane.leaving.get(buffer.address, (None,))[0] is event:
            del self._lane.leaving[buffer.address]

    def synchronize(self) -> None:
        """Wait until all work of this queue is done, downloads included."""
        with self._session():
            self._binding.finish(self._lane.kernels)
            self._binding.finish(self._lane.copies)
        self._lane.leaving.clear()


class Lanes:
    """The streams of a device, handed from queue to queue."""

    def __init__(self, binding: Binding, pinned: PinnedMemory, session: Session) -> None:
        self._binding, self._pinned, self._session = binding, pinned, session
        self._idle: list[Lane] = []
        self._all: list[Lane] = []

    def queue(self) -> CudaQueue:
        """A new queue; its streams go to another one when nobody holds it."""
        with self._session():
            lane = self._idle.pop() if self._idle else self._new()
        queue = CudaQueue(self._binding, self._pinned, self._session, lane)
        weakref.finalize(queue, self._take_back, lane).atexit = False
        return queue

    def events(self) -> list[Any]:
        """Events after which all work queued until now is done; within a session."""
        return [self._binding.record(stream) for lane in self._all for stream in (lane.kernels, lane.copies)]

    def settled(self) -> None:
        """All work of the device is done: nothing is leaving any more."""
        for lane in self._all:
            lane.leaving.clear()

    def _new(self) -> Lane:
        lane = Lane(self._binding.stream(), self._binding.stream())
        self._all.append(lane)
        return lane

    def _take_back(self, lane: Lane) -> None:
        # Host memory that a copy still writes to must not be lent again. After a fault nothing more is written.
        with contextlib.suppress(Exception), self._session():
            self._binding.finish(lane.copies)
        lane.leaving.clear()
        self._idle.append(lane)


def _addresses(arguments: ctypes.Structure) -> set[int]:
    """All pointers of a structure."""
    names = [item[0] for item in arguments._fields_ if item[1] is ctypes.c_void_p]
    return {value for name in names if (value := getattr(arguments, name)) is not None}
