"""The CPU as a device: kernels compiled by the C++ compiler, tiles shared among threads.

A call of the compiled library releases Python's lock, so plain threads use all cores. Knows no model.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.abi import ABI_VERSION, Batch, Manifest, Precision
from ratemlx.errors import DeviceError, DeviceMemoryError, KernelError
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.base import Buffer, Queue, Target
from ratemlx.runtime.devices.compiler import compile_library, cpu_model, find_compiler, vector_bytes
from ratemlx.runtime.devices.kernel_file import kernel_file
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.plan import ITEM_BYTES

ALIGNMENT = 64
MOST_CALLS = 512
"""Calls that a queue makes of one; each takes 50 us to hand out, which of ever more tiles would be ever more."""


def available_threads() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


@dataclass(frozen=True, eq=False)
class HostBuffer:
    """An array of host memory, aligned for vector registers."""

    array: AnyArray

    @property
    def address(self) -> int:
        """Where it begins."""
        return int(self.array.ctypes.data)


@dataclass(frozen=True, eq=False)
class HostDownload:
    """An array that is there already, once the calls before it are done."""

    array: AnyArray
    calls: tuple[Future[None], ...]

    def result(self) -> AnyArray:
        """The array itself, not a copy."""
        for call in self.calls:
            call.result()
        return self.array


class CpuQueue:
    """Calls that run in order for each tile, or each stretch of a few where there are very many.

    Tiles run side by side, on the threads of the device.
    """

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._latest: dict[int, Future[None]] = {}
        self._calls: list[Future[None]] = []
        self._stretch: int | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or running."""
        return all(call.done() for call in self._calls)

    def submit(self, tiles: int, function: Callable[..., None], arguments: object) -> None:
        """Queue a call for all tiles, each after its last one."""
        # The same stretches in all calls, for what is in order is a stretch.
        self._stretch = stretch = self._stretch or max(1, -(-tiles // MOST_CALLS))
        self._calls = [call for call in self._calls if not call.done()]
        for begin in range(0, tiles, stretch):
            # A thread that waits for the call before it cannot wait for ever: that one was given to the pool earlier.
            before, end = self._latest.get(begin), min(begin + stretch, tiles)
            call = self._pool.submit(_call_after, before, function, arguments, begin, end)
            self._calls.append(call)
            self._latest[begin] = call

    def download(self, buffer: Buffer) -> HostDownload:
        """The buffer's own array, when what is queued now is done."""
        assert isinstance(buffer, HostBuffer)
        return HostDownload(buffer.array, tuple(self._latest.values()))

    def synchronize(self) -> None:
        """Wait for all calls; after an interrupt too, for no thread may touch the arrays when this has returned."""
        try:
            for call in tuple(self._latest.values()):
                call.result()
        finally:
            # Not the latest calls only: those before them may be running, and a call that runs cannot be cancelled.
            for call in reversed(self._calls):
                call.cancel()
            while not self.idle:
                # Interrupted once more, it waits on: memory that threads write to is given back after this.
                with contextlib.suppress(BaseException):
                    wait(self._calls)


def _call_after(before: Future[None] | None, function: Callable[..., None], *arguments: object) -> None:
    if before is not None:
        before.result()
    function(*arguments)


class CpuProgram:
    """Functions of a loaded library, called for one tile, or few, at a time, so that a tile stays in cache."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._functions: dict[str, Any] = {}

    def run(self, function: str, arguments: ctypes.Structure, tiles: int, rows: int, queue: Queue) -> None:  # noqa: ARG002
        """Queue a call for every tile; it goes over the rows itself."""
        assert isinstance(queue, CpuQueue)
        # The caller changes its structure for the next call while this one still waits.
        copied = type(arguments).from_buffer_copy(arguments)
        called = self._function(function)
        queue.submit(tiles, called, ctypes.byref(copied))

    def _function(self, name: str) -> Any:
        if name not in self._functions:
            function = getattr(self._library, f"ratemlx_{name}")
            function.argtypes = (ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32)
            function.restype = None
            self._functions[name] = function
        return self._functions[name]


class CpuKernel:
    """A loaded model kernel."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._program = CpuProgram(library)

    def start(self, batch: Batch, queue: Queue) -> None:
        """Fill the histories of all tiles from their states."""
        self._program.run("start", batch, batch.n_tiles, batch.n_nodes, queue)

    def advance(self, batch: Batch, queue: Queue) -> None:
        """Advance all tiles by `batch.n_steps`."""
        self._program.run("advance", batch, batch.n_tiles, batch.n_nodes, queue)


class CpuDevice:
    """The cores of this machine; `threads` of them (all that the process may use if None)."""

    target: Target = "cpp"

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise DeviceError(f"at least one thread is needed; {threads} were asked for")
        self.workers = threads or available_threads()
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="ratemlx")
        self._queues: list[CpuQueue] = []

    @property
    def name(self) -> str:
        """CPU model and threads."""
        model = cpu_model().rsplit(" ", 1)[0]
        return f"{model}, {self.workers} thread{'s' if self.workers > 1 else ''}"

    def lanes(self, precision: Precision) -> int:
        """Numbers in the widest vector register."""
        return vector_bytes(find_compiler()) // ITEM_BYTES[precision]

    def free_bytes(self) -> int:
        """Free host memory."""
        return free_memory()

    def load(self, folder: Path, manifest: Manifest, definitions: Mapping[str, str]) -> CpuKernel:
        """Compile (or take from the cache) and load the kernel; raises KernelError or DeviceError."""
        loaded = _load(kernel_file(folder, manifest, self.target, self.name), definitions)
        with contextlib.suppress(AttributeError):
            if loaded.ratemlx_abi_version() == ABI_VERSION:
                return CpuKernel(loaded)
        raise KernelError(
            f"{manifest.kernel} does not export version {ABI_VERSION} of the kernel interface",
            "generate it again: ratemlx generate MODEL",
        )

    def load_program(self, source: Path, definitions: Mapping[str, str]) -> CpuProgram:
        """Compile (or take from the cache) and load functions; raises KernelError or DeviceError."""
        return CpuProgram(_load(source, definitions))

    def queue(self) -> CpuQueue:
        """A new queue."""
        queue = CpuQueue(self._pool)
        self._queues = [*(item for item in self._queues if not item.idle), queue]
        return queue

    def upload(self, array: AnyArray) -> HostBuffer:
        """A copy of an array."""
        buffer = self.allocate(array.shape, array.dtype)
        buffer.array[...] = array
        return buffer

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> HostBuffer:
        """A new array of zeros; raises DeviceError when memory is short."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        try:
            block = np.zeros(size + ALIGNMENT, dtype=np.uint8)
        except MemoryError as error:
            raise DeviceMemoryError(f"no memory for {size:,} bytes", "use a smaller --batch-size") from error
        first = -block.ctypes.data % ALIGNMENT
        return HostBuffer(block[first : first + size].view(dtype).reshape(shape))

    def array(self, buffer: Buffer) -> AnyArray:
        """The buffer's memory as it is."""
        assert isinstance(buffer, HostBuffer)
        return buffer.array

    def synchronize(self) -> None:
        """Wait for all queues."""
        for queue in tuple(self._queues):
            queue.synchronize()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)


def _load(source: Path, definitions: Mapping[str, str]) -> ctypes.CDLL:
    library = compile_library(source, definitions)
    try:
        return ctypes.CDLL(str(library))
    except OSError:
        return _load_again(source, definitions)


def _load_again(source: Path, definitions: Mapping[str, str]) -> ctypes.CDLL:
    """A library in the cache that does not load (a full disk, another system) is compiled anew, once."""
    library = compile_library(source, definitions, again=True)
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise KernelError(f"the compiled {source.name} cannot be loaded: {error}") from error
