"""An NVIDIA GPU as a device: launches, memory and errors. Which package speaks to the driver makes no difference here.

Knows no model. Kernels of one chunk are launched block after block into the queue's stream; nothing waits for them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.abi import (
    SHARED_BYTES,
    Batch,
    Form,
    Launch,
    Manifest,
    Precision,
    advance_launches,
    shared_bytes,
    start_launch,
)
from ratemlx.errors import DeviceError, KernelError
from ratemlx.runtime.arrays import AnyArray, bytes_text
from ratemlx.runtime.devices.base import Buffer, Queue, Target
from ratemlx.runtime.devices.cuda_architecture import OLDEST, Architecture
from ratemlx.runtime.devices.cuda_binding import Binding, CudaFailure
from ratemlx.runtime.devices.cuda_errors import NOT_FOUND, WORDS, explain
from ratemlx.runtime.devices.cuda_memory import DeviceMemory, PinnedMemory
from ratemlx.runtime.devices.cuda_queue import CudaQueue, DeviceBuffer, Lanes
from ratemlx.runtime.devices.kernel_file import kernel_file

WARP = 32
"""Threads that run together: a tile of as many instances fills them. (Lanes alter no result.)"""
MOST_ROWS = 65_535
"""Most thread blocks of a grid in its second direction, which counts regions."""
STREAM_PER_THREAD = "CUPY_CUDA_PER_THREAD_DEFAULT_STREAM"

Compile = Callable[[Path, Mapping[str, str], Architecture], bytes]
"""Gives the device code of a source, from the cache where it is there."""


def check_shared(manifest: Manifest, definitions: Mapping[str, str]) -> None:
    """Raise KernelError for a variant whose thread blocks need more shared memory than a GPU has."""
    form, lanes, block = _shape(definitions)
    precision: Precision = "float64" if "RATEMLX_FLOAT64" in definitions else "float32"
    if shared_bytes(manifest, lanes=lanes, block=block, precision=precision, form=form) > SHARED_BYTES:
        raise KernelError(
            f"{block} steps of {lanes} instances of {manifest.model} need more shared memory than a GPU has",
            "use fewer lanes, or --precision float32",
        )


class CudaProgram:
    """Functions of loaded device code, launched over grids of (tiles, rows) blocks of lanes."""

    def __init__(self, device: CudaDevice, source: str, find: Callable[[str], Any], lanes: int) -> None:
        self._device, self._source, self._find, self._lanes = device, source, find, lanes
        self._functions: dict[str, Any] = {}

    def run(self, function: str, arguments: ctypes.Structure, tiles: int, rows: int, queue: Queue) -> None:
        """Queue a function over all tiles and rows."""
        launch = Launch(f"{function}_kernel", (tiles, rows), (self._lanes, 1), 0)
        with self._device.session():
            self.launcher(launch, arguments, queue)()

    def launcher(self, launch: Launch, arguments: ctypes.Structure, queue: Queue) -> Callable[[], None]:
        """What queues a launch with `arguments` as they are when it is called; within a session."""
        assert isinstance(queue, CudaQueue)
        if launch.grid[1] > MOST_ROWS:
            raise DeviceError(f"{launch.grid[1]:,} regions are too many for a GPU, which takes up to {MOST_ROWS:,}")
        queue.wait_for_copies_of(arguments)
        function = self._function(launch.function)
        return self._device.binding.launcher(function, launch.grid, launch.threads, arguments, queue.stream)

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
    """A loaded model kernel, in the variant that `definitions` chose."""

    def __init__(self, device: CudaDevice, program: CudaProgram, definitions: Mapping[str, str]) -> None:
        self._device, self._program = device, program
        self._form, self._lanes, self._block = _shape(definitions)

    def start(self, batch: Batch, queue: Queue) -> None:
        """Fill the histories of all tiles from their states."""
        with self._device.session():
            self._program.launcher(start_launch(batch, self._lanes), batch, queue)()

    def advance(self, batch: Batch, queue: Queue) -> None:
        """Queue the launches of `batch.n_steps` steps.

        The launches of a call differ by nothing but their steps, so that all else is prepared once, and one costs
        Python about a microsecond besides the driver's own time. Replaying a CUDA graph would not be less: each of its
        nodes would have to be told its first step before.
        """
        piece, queued = Batch.from_buffer_copy(batch), None
        with self._device.session():
            for launch in advance_launches(batch, self._form, self._lanes, self._block):
                queued = queued or self._program.launcher(launch, piece, queue)
                piece.n_steps = launch.steps
                queued()
                piece.first_step += launch.steps


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
        self._memory = DeviceMemory(binding, self._lanes.events, _release_cupy)
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
        source = kernel_file(folder, manifest, self.target, self.name)
        check_shared(manifest, definitions)
        return CudaKernel(self, self.load_program(source, definitions), definitions)

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
        """The buffer's memory as a CuPy array, which holds the buffer; None without CuPy.

        CuPy's default stream waits for work that is queued here, and work queued here later waits for it. Not so where
        each thread has a default stream of its own: there is no array then.
        """
        if os.environ.get(STREAM_PER_THREAD, "0") != "0":
            return None
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


def _release_cupy() -> None:
    """Let CuPy give back memory that it keeps and nobody uses."""
    cupy = sys.modules.get("cupy")
    if cupy is not None:
        cupy.get_default_memory_pool().free_all_blocks()


def _shape(definitions: Mapping[str, str]) -> tuple[Form, int, int]:
    """Form, lanes and block size of a variant."""
    form: Form = "tile" if definitions.get("RATEMLX_FORM") == "1" else "block"
    return form, int(definitions["RATEMLX_LANES"]), int(definitions["RATEMLX_BLOCK"])
