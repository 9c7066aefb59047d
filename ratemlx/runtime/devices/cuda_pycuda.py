"""PyCUDA as a binding: the calls of cuda_binding.py in its words.

The primary context is used, so that CuPy and others share memory. It is current during calls only: PyCUDA aborts a
process that ends with a context on its stack.
"""

from __future__ import annotations

import atexit
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.cuda_binding import CudaFailure, GpuFacts
from ratemlx.runtime.devices.cuda_errors import no_driver


class PyCuda:
    """Device `number` of those that are visible; raises DeviceError if the driver is not there."""

    def __init__(self, number: int) -> None:
        self._driver: Any = _driver()
        self._number = number
        with self._failures():
            self._device, self._context = _primary_context(number)
        self._allocations: dict[int, Any] = {}

    @property
    def label(self) -> str:
        """PyCUDA and its version."""
        import pycuda

        return f"PyCUDA {pycuda.VERSION_TEXT}"

    def facts(self) -> GpuFacts:
        """What the device is."""
        with self._failures():
            version = self._driver.get_driver_version()
            return GpuFacts(
                name=self._device.name(),
                number=self._number,
                capability=self._device.compute_capability(),
                multiprocessors=self._device.get_attribute(self._driver.device_attribute.MULTIPROCESSOR_COUNT),
                total_bytes=self._device.total_memory(),
                driver=(version // 1000, version % 1000 // 10),
            )

    @contextmanager
    def current(self) -> Iterator[None]:
        """The primary context is this thread's within it."""
        with self._failures():
            self._context.push()
            try:
                yield
            finally:
                self._context.pop()

    def free_bytes(self) -> int:
        """Free memory of the device."""
        return int(self._driver.mem_get_info()[0])

    def allocate(self, size: int) -> int:
        """New memory of the device."""
        with self._failures():
            allocation = self._driver.mem_alloc(size)
        self._allocations[int(allocation)] = allocation
        return int(allocation)

    def free(self, address: int) -> None:
        """Give back memory of the device."""
        self._allocations.pop(address).free()

    def pinned(self, size: int) -> AnyArray:
        """New page-locked memory of the host."""
        with self._failures():
            array: AnyArray = self._driver.pagelocked_empty(size, np.uint8)
        return array

    def zero(self, address: int, size: int, stream: Any) -> None:
        """Queue setting bytes to zero."""
        if size:
            self._driver.memset_d8_async(address, 0, size, stream)

    def copy_in(self, address: int, array: AnyArray, stream: Any) -> None:
        """Queue a copy to the device."""
        if array.nbytes:
            self._driver.memcpy_htod_async(address, array, stream)

    def copy_out(self, array: AnyArray, address: int, stream: Any) -> None:
        """Queue a copy to the host."""
        if array.nbytes:
            self._driver.memcpy_dtoh_async(array, address, stream)

    def stream(self) -> Any:
        """A stream that the default stream of other libraries waits for, and that waits for it."""
        return self._driver.Stream()

    def record(self, stream: Any) -> Any:
        """A new event in a stream."""
        return self._driver.Event(self._driver.event_flags.DISABLE_TIMING).record(stream)

    def wait(self, stream: Any, event: Any) -> None:
        """Hold a stream back until an event."""
        stream.wait_for_event(event)

    def finish(self, what: Any) -> None:
        """Wait for a stream or an event."""
        what.synchronize()

    def synchronize(self) -> None:
        """Wait for all work of the context."""
        self._driver.Context.synchronize()

    def load(self, image: bytes) -> Callable[[str], Any]:
        """Load device code."""
        module = self._driver.module_from_buffer(image)

        def find(name: str) -> Any:
            with self._failures():
                return module.get_function(name)

        return find

    def launcher(
        self, function: Any, grid: tuple[int, int], threads: tuple[int, int], arguments: ctypes.Structure, stream: Any
    ) -> Callable[[], None]:
        """PyCUDA's innermost launch call, which copies the structure: nothing is prepared or checked anew."""
        launch, whole = function._launch_kernel, (*threads, 1)
        return lambda: launch(grid, whole, arguments, 0, stream)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """PyCUDA says "CALL failed: the driver's words", and " - " with a remark in some cases."""
        try:
            yield
        except self._driver.Error as error:
            call, _, text = str(error).partition(" failed: ")
            raise CudaFailure(call, None, text.partition(" - ")[0].strip()) from error


@cache
def _primary_context(number: int) -> tuple[Any, Any]:
    """A device and its primary context, which stays until the process ends: arrays may outlive all that used it.

    PyCUDA has to be told to let go of it: it treats a context that it finds at the end as one of its own.
    """
    driver = _driver()
    driver.init()
    device = driver.Device(number)
    context = device.retain_primary_context()
    atexit.register(_let_go, driver, context)
    return device, context


def _let_go(driver: Any, context: Any) -> None:
    # An interrupt can come between a push and what pops it.
    while driver.Context.get_current() == context:
        driver.Context.pop()
    context.detach()


def _driver() -> Any:
    try:
        import pycuda.driver
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        # PyCUDA is installed, and its library finds no libcuda.
        raise no_driver(str(error)) from error
    return pycuda.driver
