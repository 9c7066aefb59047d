"""An NVIDIA GPU as a device: launches, memory and errors. Which package speaks to the driver makes no difference here.

Knows no model. Kernels of one chunk are launched block after block into the queue's stream; nothing waits for them.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.abi import Batch, Manifest, Precision
from ratemlx.errors import DeviceError, KernelError
from ratemlx.runtime.arrays import AnyArray, bytes_text
from ratemlx.runtime.devices.base import Buffer, Queue, Target
from ratemlx.runtime.devices.cuda_architecture import OLDEST, Architecture
from ratemlx.runtime.devices.cuda_binding import Binding, CudaFailure
from ratemlx.runtime.devices.cuda_errors import NOT_FOUND, WORDS, explain
from ratemlx.runtime.devices.cuda_memory import DeviceMemory, PinnedMemory
from ratemlx.runtime.devices.cuda_queue import CudaQueue, DeviceBuffer, Lanes

WARP = 32
"""Threads that run together: a tile of as many instances fills them. (Lanes alter no result.)"""
MOST_ROWS = 65_535
"""Most thread blocks of a grid in its second direction, which counts regions."""

Compile = Callable[[Path, Mapping[str, str], Architecture], bytes]
"""Gives the device code of a source, from the cache where it is there."""


class CudaProgram:
    """Functions of loaded device code, launched over grids of (tiles, rows) blocks of lanes."""

    def __init__(self, device: CudaDevice, source: str, find: Callable[[str], Any], lanes: int) -> None:
        self._device, self._source, self._find, self._lanes = device, source, find, lanes
        self._functions: dict[str, Any] = {}

    def run(self, function: str, arguments: ctypes.Structure, tiles: int, rows: int, queue: Queue) -> None:
        """Queue a function over all tiles and rows."""
        with self._device.session():
            self.launcher(function, arguments, tiles, rows, queue)()

    def launcher(
        self, function: str, arguments: ctypes.Structure, tiles: int, rows: int, queue: Queue
    ) -> Callable[[], None]:
        """What queues a function with `arguments` as they are when it is called; within a session."""
        assert isinstance(queue, CudaQueue)
        if rows > MOST_ROWS:
            raise DeviceError(f"{rows:,} regions are too many for a GPU, which takes up to {MOST_ROWS:,}")
        queue.wait_for_copies_of(arguments)
        found = self._function(f"{function}_kernel")
        return self._device.binding.launcher(found, (tiles, rows), (self._lanes, 1), arguments, queue.stream)

    def _function(self, name: str) -> Any:
        if name not in self._functions:
            try:
                self._functions[name] = self._find(name)
            except CudaFailure as failure:
                if NOT_FOUND not in (failure.code, WORDS.get(failure.text)):
                    raise
                raise KernelError(f"{self._source} has no function {name}", "generate it again") from failure
        return self._functions[name]


class CudaKernel:
    """A loaded model kernel."""

    def __init__(self, device: CudaDevice, program: CudaProgram, block: int) -> None:
        self._device, self._program, self._block = device, program, block

    def start(self, batch: Batch, queue: Queue) -> None:
        """Fill the histories of all tiles from their states."""
        self._program.run("start", batch, batch.n_tiles, batch.n_nodes, queue)

    def advance(self, batch: Batch, queue: Queue) -> None:
        """Queue the launches of `batch.n_steps` steps, one for each block of steps."""
        piece = Batch.from_buffer_copy(batch)
        last = batch.first_step + batch.n_steps
        with self._device.session():
            launch = self._program.launcher("advance", piece, batch.n_tiles, batch.n_nodes, queue)
            for first in range(batch.first_step, last, self._block):
                piece.first_step, piece.n_steps = first, min(self._block, last - first)
                launch()


class CudaDevice:
    """One GPU. `compile` makes device code for `architecture` (by default the GPU's own)."""

    target: Target = "cuda"

    def __init__(self, binding: Binding, compile: Compile, architecture: Architecture | None = None) -> None:
        self.binding, self._compile = binding, compile
        try:
            self.facts = binding.facts()
        except CudaFailure as failure:
            raise explain(failure, binding.label) from failure
        self.architecture = architecture or Architecture(*self.facts.capability)
        self._check()
        self._pinned = PinnedMemory(binding)
        self._lanes = Lanes(binding, self._pinned, self.session)
        self._memory = DeviceMemory(binding, self._lanes.events)
        with self.session():
            self._setup = binding.stream()

    def _check(self) -> None:
        own = Architecture(*self.facts.capability)
        if (own.major, own.minor) < OLDEST:
            raise DeviceError(
                f"{self.facts.name} is too old: its architecture is {own}, {Architecture(*OLDEST)} is needed",
                "--target cpu runs everywhere",
            )
        if not self.architecture.runs_on(own):
            raise DeviceError(
                f"code for {self.architecture} does not run on {self.facts.name}, which is {own}",
                f"choose {own}, or nothing",
            )

    @property
    def name(self) -> str:
        """Model, memory, and the package in between."""
        return f"{self.facts.name}, {bytes_text(self.facts.total_bytes)} ({self.binding.label})"

    @property
    def workers(self) -> int:
        """Multiprocessors."""
        return self.facts.multiprocessors

    def lanes(self, precision: Precision) -> int:  # noqa: ARG002
        """A warp of instances, whatever the precision."""
        return WARP

    def free_bytes(self) -> int:
        """Memory that is free, or would be if it were asked for."""
        with self.session():
            return self.binding.free_bytes() + self._memory.idle_bytes

    def load(self, folder: Path, manifest: Manifest, definitions: Mapping[str, str]) -> CudaKernel:
        """Compile (or take from the cache) and load the kernel; raises KernelError or DeviceError."""
        if manifest.target != self.target:
            raise KernelError(f"{folder} holds a {manifest.target} kernel; {self.name} runs {self.target} kernels")
        if Path(manifest.kernel).name != manifest.kernel:
            raise KernelError(f"the manifest names a kernel outside its folder: {manifest.kernel!r}")
        program = self.load_program(folder / manifest.kernel, definitions)
        return CudaKernel(self, program, int(definitions["RATEMLX_BLOCK"]))

    def load_program(self, source: Path, definitions: Mapping[str, str]) -> CudaProgram:
        """Compile (or take from the cache) and load functions; raises KernelError or DeviceError."""
        image = self._compile(source, definitions, self.architecture)
        with self.session():
            find = self.binding.load(image)
        return CudaProgram(self, source.name, find, int(definitions.get("RATEMLX_LANES", WARP)))

    def queue(self) -> CudaQueue:
        """A new queue."""
        return self._lanes.queue()

    def upload(self, array: AnyArray) -> DeviceBuffer:
        """Copy an array to the device; done when this returns."""
        contiguous = np.ascontiguousarray(array)
        buffer = self._new(contiguous.shape, contiguous.dtype)
        with self.session():
            self.binding.copy_in(buffer.address, contiguous, self._setup)
            self.binding.finish(self._setup)
        return buffer

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceBuffer:
        """A new array of zeros; raises DeviceMemoryError when memory is short."""
        buffer = self._new(shape, np.dtype(dtype))
        with self.session():
            self.binding.zero(buffer.address, buffer.size, self._setup)
            self.binding.finish(self._setup)
        return buffer

    def array(self, buffer: Buffer) -> AnyArray | None:
        """The buffer's memory as a CuPy array, or None without CuPy.

        CuPy's default stream waits for work that is queued here, and work queued here later waits for it.
        """
        try:
            import cupy
        except ImportError:
            return None
        with cupy.cuda.Device(self.facts.number):
            shared: AnyArray = cupy.asarray(buffer)
        return shared

    def synchronize(self) -> None:
        """Wait until the work of all queues is done."""
        with self.session():
            self.binding.synchronize()
        self._lanes.settled()

    def close(self) -> None:
        """Give back memory that is not in use. The primary context stays: others may be using it."""
        with self.session():
            self._memory.close()
        self._pinned.trim()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Within it, calls of the binding reach this GPU, and failures come out as errors for users."""
        try:
            with self.binding.current():
                yield
        except CudaFailure as failure:
            raise explain(failure, f"{self.facts.name} ({self.binding.label})") from failure

    def _new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceBuffer:
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        with self.session():
            address = self._memory.take(size, self._setup)
        return DeviceBuffer(address, shape, dtype, self._give_back)

    def _give_back(self, address: int, size: int) -> None:
        # Called when a buffer is dropped, also after a fault, when no call succeeds any more.
        with contextlib.suppress(Exception), self.session():
            self._memory.give_back(address, size)
