"""A CUDA driver that is none: the adapters' logic on machines without a GPU (tests/support/fake_driver/driver.cpp)."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.abi import Batch
from ratemlx.observables import bold, moments
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.cache import cache_folder
from ratemlx.runtime.devices.compiled import made_once, source_key
from ratemlx.runtime.devices.compiler import compile_library
from ratemlx.runtime.devices.cuda import CudaDevice
from ratemlx.runtime.devices.cuda_architecture import Architecture
from ratemlx.runtime.devices.cuda_binding import CudaFailure, GpuFacts

STRUCTURES = {"moments": moments.Arguments, "balloon": bold.Arguments}
SOURCE = Path(__file__).parent / "fake_driver" / "driver.cpp"


def driver_library() -> Path:
    """The library, named as a driver's is so that real packages find it in its folder."""

    def build(library: Path) -> None:
        command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-Wl,-soname,libcuda.so.1"]
        subprocess.run([*command, "-o", str(library), str(SOURCE), "-ldl"], check=True)

    folder = cache_folder("kernels") / f"driver-{source_key(SOURCE, ())}"
    folder.mkdir(exist_ok=True)
    return made_once(folder / "libcuda.so.1", build)


def emulated(source: Path, definitions: Mapping[str, str], architecture: Architecture, size: int = 0) -> bytes:  # noqa: ARG001
    """What the library takes for device code: the source compiled for the host, and the size of its arguments."""
    library = compile_library(source, {**definitions, "RATEMLX_EMULATED": "1"})
    structure = STRUCTURES.get(source.stem, Batch)
    return f"emulation:{library}:{size or ctypes.sizeof(structure)}".encode() + b"\0"


@cache
def _library(path: str) -> ctypes.CDLL:
    return ctypes.CDLL(path)


class DriverCalls:
    """The fake driver as a binding, by plain ctypes."""

    label = "fake driver"

    def __init__(self, number: int = 0) -> None:
        self._library = _library(str(driver_library()))
        self._number = number
        self.launches = 0
        self._call("cuInit", 0)
        self._call("cuDeviceGet", ctypes.byref(ctypes.c_int()), number)
        self._context = self._new("cuDevicePrimaryCtxRetain", 0)

    def facts(self) -> GpuFacts:
        capability = [ctypes.c_int(), ctypes.c_int()]
        self._call("cuDeviceComputeCapability", *(ctypes.byref(value) for value in capability), 0)
        total = ctypes.c_size_t()
        self._call("cuDeviceTotalMem_v2", ctypes.byref(total), 0)
        major, minor = (value.value for value in capability)
        return GpuFacts("Fake GPU", self._number, (major, minor), 4, total.value, (13, 0))

    @contextmanager
    def current(self) -> Iterator[None]:
        self._call("cuCtxPushCurrent_v2", self._context)
        try:
            yield
        finally:
            self._call("cuCtxPopCurrent_v2", None)

    def free_bytes(self) -> int:
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value

    def allocate(self, size: int) -> int:
        return int(self._new("cuMemAlloc_v2", ctypes.c_size_t(size)).value or 0)

    def free(self, address: int) -> None:
        self._call("cuMemFree_v2", ctypes.c_uint64(address))

    def pinned(self, size: int) -> AnyArray:
        address = self._new("cuMemHostAlloc", ctypes.c_size_t(size), 0).value
        assert address is not None
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def zero(self, address: int, size: int, stream: Any) -> None:
        self._call("cuMemsetD8Async", ctypes.c_uint64(address), 0, ctypes.c_size_t(size), stream)

    def copy_in(self, address: int, array: AnyArray, stream: Any) -> None:
        size = ctypes.c_size_t(array.nbytes)
        self._call("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address), ctypes.c_void_p(array.ctypes.data), size, stream)

    def copy_out(self, array: AnyArray, address: int, stream: Any) -> None:
        size = ctypes.c_size_t(array.nbytes)
        self._call("cuMemcpyDtoHAsync_v2", ctypes.c_void_p(array.ctypes.data), ctypes.c_uint64(address), size, stream)

    def stream(self) -> Any:
        return self._new("cuStreamCreate", 0)

    def record(self, stream: Any) -> Any:
        event = self._new("cuEventCreate", 0)
        self._call("cuEventRecord", event, stream)
        return event

    def wait(self, stream: Any, event: Any) -> None:
        self._call("cuStreamWaitEvent", stream, event, 0)

    def finish(self, what: Any) -> None:
        self._call("cuStreamSynchronize" if isinstance(what, _Stream) else "cuEventSynchronize", what)

    def synchronize(self) -> None:
        self._call("cuCtxSynchronize")

    def load(self, image: bytes) -> Callable[[str], Any]:
        module = self._new("cuModuleLoadData", image)
        return lambda name: self._new("cuModuleGetFunction", module, name.encode())

    def launcher(
        self, function: Any, grid: tuple[int, int], threads: tuple[int, int], arguments: ctypes.Structure, stream: Any
    ) -> Callable[[], None]:
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(arguments))

        def launch(_held: object = arguments) -> None:
            self.launches += 1
            self._call("cuLaunchKernel", function, *grid, 1, *threads, 1, 0, stream, pointers, None)

        return launch

    def _new(self, name: str, *arguments: object) -> Any:
        handle = _Stream() if name == "cuStreamCreate" else ctypes.c_void_p()
        self._call(name, ctypes.byref(handle), *arguments)
        return handle

    def _call(self, name: str, *arguments: object) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            text = ctypes.c_char_p()
            self._library.cuGetErrorString(code, ctypes.byref(text))
            raise CudaFailure(name.partition("_v")[0], code, (text.value or b"").decode())


class _Stream(ctypes.c_void_p):
    """A stream's handle, told apart from an event's."""


def fake_device(number: int = 0, **settings: Any) -> CudaDevice:
    """A GPU that the fake driver plays."""
    return CudaDevice(DriverCalls(number), emulated, **settings)
