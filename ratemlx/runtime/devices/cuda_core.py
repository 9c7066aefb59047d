"""cuda-core as a binding: the calls of cuda_binding.py in the words of cuda-bindings, which it is built on.

Its own classes moved and changed between releases (cuda.core.experimental, cuda.core); the layer below is the driver's
C interface, call by call, and has stayed as it is. Streams and events are its handles, and the primary context is
used, so that code which uses cuda.core's classes shares them.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any

import numpy as np

from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.cuda_binding import CudaFailure, GpuFacts
from ratemlx.runtime.devices.cuda_errors import no_driver

PACKAGES = ("cuda-core", "cuda-bindings")


class _Handle:
    """A stream or an event, destroyed when nobody holds it; work that is under way is not disturbed."""

    def __init__(self, handle: Any, destroy: Callable[[Any], object], finish: Callable[[Any], Any]) -> None:
        self.handle, self.finish = handle, finish
        weakref.finalize(self, destroy, handle).atexit = False


class CudaBindings:
    """Device `number` of those that are visible; raises DeviceError if the driver is not there."""

    def __init__(self, number: int) -> None:
        from cuda.bindings import driver

        self._driver: Any = driver
        self._number = number
        try:
            self._call("cuInit", 0)
        except RuntimeError as error:
            # There is no libcuda to load.
            raise no_driver(str(error).splitlines()[0]) from error
        self._device = self._call("cuDeviceGet", number)
        self._context = self._call("cuDevicePrimaryCtxRetain", self._device)

    @property
    def label(self) -> str:
        """The package and its version."""
        for package in PACKAGES:
            try:
                return f"{package} {metadata.version(package)}"
            except metadata.PackageNotFoundError:
                continue
        return PACKAGES[-1]

    def facts(self) -> GpuFacts:
        """What the device is."""
        kinds, version = self._driver.CUdevice_attribute, self._call("cuDriverGetVersion")

        def attribute(name: str) -> int:
            kind = getattr(kinds, f"CU_DEVICE_ATTRIBUTE_{name}")
            return int(self._call("cuDeviceGetAttribute", kind, self._device))

        return GpuFacts(
            name=self._call("cuDeviceGetName", 256, self._device).split(b"\0")[0].decode(errors="replace"),
            number=self._number,
            capability=(attribute("COMPUTE_CAPABILITY_MAJOR"), attribute("COMPUTE_CAPABILITY_MINOR")),
            multiprocessors=attribute("MULTIPROCESSOR_COUNT"),
            total_bytes=int(self._call("cuDeviceTotalMem", self._device)),
            driver=(version // 1000, version % 1000 // 10),
        )

    @contextmanager
    def current(self) -> Iterator[None]:
        """The primary context is this thread's within it."""
        self._call("cuCtxPushCurrent", self._context)
        try:
            yield
        finally:
            self._driver.cuCtxPopCurrent()

    def free_bytes(self) -> int:
        """Free memory of the device."""
        return int(self._call("cuMemGetInfo")[0])

    def allocate(self, size: int) -> int:
        """New memory of the device."""
        return int(self._call("cuMemAlloc", size))

    def free(self, address: int) -> None:
        """Give back memory of the device."""
        self._call("cuMemFree", address)

    def pinned(self, size: int) -> AnyArray:
        """New page-locked memory of the host."""
        address = int(self._call("cuMemHostAlloc", size, 0))
        memory = (ctypes.c_uint8 * size).from_address(address)
        weakref.finalize(memory, self._free_pinned, address).atexit = False
        array: AnyArray = np.ctypeslib.as_array(memory)
        return array

    def zero(self, address: int, size: int, stream: Any) -> None:
        """Queue setting bytes to zero."""
        if size:
            self._call("cuMemsetD8Async", address, 0, size, stream.handle)

    def copy_in(self, address: int, array: AnyArray, stream: Any) -> None:
        """Queue a copy to the device."""
        if array.nbytes:
            self._call("cuMemcpyHtoDAsync", address, array.ctypes.data, array.nbytes, stream.handle)

    def copy_out(self, array: AnyArray, address: int, stream: Any) -> None:
        """Queue a copy to the host."""
        if array.nbytes:
            self._call("cuMemcpyDtoHAsync", array.ctypes.data, address, array.nbytes, stream.handle)

    def stream(self) -> _Handle:
        """A stream that the default stream of other libraries waits for, and that waits for it."""
        driver = self._driver
        handle = self._call("cuStreamCreate", driver.CUstream_flags.CU_STREAM_DEFAULT)
        return _Handle(handle, driver.cuStreamDestroy, driver.cuStreamSynchronize)

    def record(self, stream: Any) -> _Handle:
        """A new event in a stream."""
        driver = self._driver
        handle = self._call("cuEventCreate", driver.CUevent_flags.CU_EVENT_DISABLE_TIMING)
        event = _Handle(handle, driver.cuEventDestroy, driver.cuEventSynchronize)
        self._call("cuEventRecord", handle, stream.handle)
        return event

    def wait(self, stream: Any, event: Any) -> None:
        """Hold a stream back until an event."""
        self._call("cuStreamWaitEvent", stream.handle, event.handle, 0)

    def finish(self, what: Any) -> None:
        """Wait for a stream or an event."""
        self._checked(what.finish.__name__, what.finish(what.handle))

    def synchronize(self) -> None:
        """Wait for all work of the context."""
        self._call("cuCtxSynchronize")

    def load(self, image: bytes) -> Callable[[str], Any]:
        """Load device code."""
        module = self._call("cuModuleLoadData", image)
        return lambda name: self._call("cuModuleGetFunction", module, name.encode())

    def launcher(
        self, function: Any, grid: tuple[int, int], threads: tuple[int, int], arguments: ctypes.Structure, stream: Any
    ) -> Callable[[], None]:
        """The driver's launch call; it reads the structure where it lies, each time anew."""
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(arguments))
        place, handle, launch = ctypes.addressof(pointers), stream.handle, self._driver.cuLaunchKernel

        def call(_held: object = (pointers, arguments)) -> None:
            code = launch(function, *grid, 1, *threads, 1, 0, handle, place, 0)[0]
            if code:
                self._checked("cuLaunchKernel", (code,))

        return call

    def _free_pinned(self, address: int) -> None:
        self._driver.cuCtxPushCurrent(self._context)
        self._driver.cuMemFreeHost(address)
        self._driver.cuCtxPopCurrent()

    def _call(self, name: str, *arguments: object) -> Any:
        """What a call of the driver gives; raises CudaFailure."""
        return self._checked(name, getattr(self._driver, name)(*arguments))

    def _checked(self, name: str, answer: tuple[Any, ...]) -> Any:
        code, *results = answer
        if code:
            text = self._driver.cuGetErrorString(code)[1]
            raise CudaFailure(name, int(code), text.decode() if text else str(code))
        return results[0] if len(results) == 1 else tuple(results)
