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
from ratemlx.errors import DeviceError, KernelError
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.base import Target
from ratemlx.runtime.devices.compiler import compile_library, cpu_model, find_compiler, vector_bytes
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.plan import ITEM_BYTES

ALIGNMENT = 64


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

    def read(self) -> AnyArray:
        """The array itself."""
        return self.array


class CpuKernel:
    """A loaded library; `submit` runs its calls, one tile at a time, so that a tile stays in cache."""

    def __init__(self, library: ctypes.CDLL, submit: Callable[..., None]) -> None:
        self._submit = submit
        self._functions = {name: getattr(library, f"ratemlx_{name}") for name in ("start", "advance")}
        for function in self._functions.values():
            function.argtypes = (ctypes.POINTER(Batch), ctypes.c_int32, ctypes.c_int32)
            function.restype = None

    def start(self, batch: Batch) -> None:
        """Fill the histories of all tiles from their states."""
        self._each_tile("start", batch)

    def advance(self, batch: Batch) -> None:
        """Advance all tiles by `batch.n_steps`."""
        self._each_tile("advance", batch)

    def _each_tile(self, name: str, batch: Batch) -> None:
        for tile in range(batch.n_tiles):
            self._submit(self._functions[name], ctypes.byref(batch), tile, tile + 1)


class CpuDevice:
    """The cores of this machine; `threads` of them (all that the process may use if None)."""

    target: Target = "cpp"

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise DeviceError(f"at least one thread is needed; {threads} were asked for")
        self.workers = threads or available_threads()
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="ratemlx")
        self._calls: list[Future[None]] = []

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
        if manifest.target != self.target:
            raise KernelError(f"{folder} holds a {manifest.target} kernel; {self.name} runs {self.target} kernels")
        if Path(manifest.kernel).name != manifest.kernel:
            raise KernelError(f"the manifest names a kernel outside its folder: {manifest.kernel!r}")
        source = folder / manifest.kernel
        library = compile_library(source, definitions)
        try:
            loaded = ctypes.CDLL(str(library))
        except OSError:
            loaded = _load_again(source, definitions)
        with contextlib.suppress(AttributeError):
            if loaded.ratemlx_abi_version() == ABI_VERSION:
                return CpuKernel(loaded, self._submit)
        raise KernelError(
            f"{manifest.kernel} does not export version {ABI_VERSION} of the kernel interface",
            "generate it again: ratemlx generate MODEL",
        )

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
            raise DeviceError(f"no memory for {size:,} bytes", "use a smaller --batch-size") from error
        first = -block.ctypes.data % ALIGNMENT
        return HostBuffer(block[first : first + size].view(dtype).reshape(shape))

    def synchronize(self) -> None:
        """Wait for all calls."""
        calls, self._calls = self._calls, []
        try:
            for call in calls:
                call.result()
        finally:
            # Interrupted: no thread may touch the arrays after we return. A running call cannot be cancelled.
            for call in calls:
                call.cancel()
            wait(calls)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, function: Callable[..., None], *arguments: object) -> None:
        self._calls.append(self._pool.submit(function, *arguments))


def _load_again(source: Path, definitions: Mapping[str, str]) -> ctypes.CDLL:
    """A library in the cache that does not load (a full disk, another system) is compiled anew, once."""
    library = compile_library(source, definitions, again=True)
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise KernelError(f"the compiled {source.name} cannot be loaded: {error}") from error
