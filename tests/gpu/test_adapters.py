"""The adapters on a real GPU: memory, streams, downloads, sharing with CuPy, and faults. No model is run here."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratemlx.errors import DeviceMemoryError
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.cuda import CudaDevice, CudaProgram
from ratemlx.runtime.devices.cuda_queue import CudaQueue, DeviceBuffer
from tests.house.sources import CHECKOUT

pytestmark = pytest.mark.gpu
LOOPS = int(os.environ.get("RATEMLX_GPU_LOOPS", 40_000_000))
"""Steps of `spin` that take a GPU some tenths of a second."""
PROGRAM = """
struct Arguments { int loops, amount; double *values; };

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define FUNCTION(name, body) \\
    extern "C" __global__ void name##_kernel(const Arguments a) { const int i = blockIdx.x * 32 + threadIdx.x; body }
#else
#define FUNCTION(name, body) \\
    extern "C" void ratemlx_##name(const Arguments *given, int first, int last) \\
    { const Arguments &a = *given; for (int i = first * 32; i < last * 32; ++i) { body } }
#endif

FUNCTION(add, a.values[i] += a.amount;)
FUNCTION(spin, double x = 0.0; for (int k = 0; k < a.loops; ++k) x = x * 0.999999 + 1e-6; a.values[i] = x;)
"""
"""For the host as well, for a device that only plays a GPU."""


class Arguments(ctypes.Structure):
    _fields_ = [("loops", ctypes.c_int32), ("amount", ctypes.c_int32), ("values", ctypes.c_void_p)]


@pytest.fixture
def gpu(gpu_device: str) -> Iterator[CudaDevice]:
    if not gpu_device.startswith("cuda:"):
        pytest.skip(f"{gpu_device} has no adapter")
    device = open_device(gpu_device)
    assert isinstance(device, CudaDevice)
    yield device
    device.close()


@pytest.fixture
def program(gpu: CudaDevice, tmp_path: Path) -> CudaProgram:
    source = tmp_path / "adapters.cu"
    source.write_text(PROGRAM)
    return gpu.load_program(source, {"RATEMLX_LANES": "32"})


def zeros(gpu: CudaDevice) -> DeviceBuffer:
    return gpu.allocate((2, 32), np.dtype(np.float64))


def add(program: CudaProgram, amount: int, buffer: DeviceBuffer, queue: CudaQueue) -> None:
    program.run("add", Arguments(0, amount, buffer.address), 2, 1, queue)


def spin(program: CudaProgram, buffer: DeviceBuffer, queue: CudaQueue) -> None:
    program.run("spin", Arguments(LOOPS, 0, buffer.address), 2, 1, queue)


def test_it_says_what_it_is(gpu: CudaDevice) -> None:
    assert gpu.workers >= 1
    assert gpu.facts.capability >= (7, 0)
    assert gpu.facts.driver >= (11, 0)
    assert 0 < gpu.free_bytes() <= gpu.facts.total_bytes
    print(f"\n{gpu.name}: {gpu.architecture}, {gpu.workers} multiprocessors, CUDA {gpu.facts.driver}")


def test_arrays_come_and_go(gpu: CudaDevice) -> None:
    queue = gpu.queue()
    for array in (np.arange(100_003, dtype=np.int32), np.zeros((0, 5)), np.asfortranarray(np.eye(3, dtype=np.float32))):
        found = queue.download(gpu.upload(array)).result()
        np.testing.assert_array_equal(found, array)
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
    large = gpu.allocate((50_000_000,), np.dtype(np.uint8))
    assert not queue.download(large).result().any()


def test_a_download_is_of_its_moment(gpu: CudaDevice, program: CudaProgram) -> None:
    queue, buffer = gpu.queue(), zeros(gpu)
    add(program, 1, buffer, queue)
    download = queue.download(buffer)
    for _ in range(1000):
        add(program, 2, buffer, queue)
    gpu.synchronize()
    np.testing.assert_array_equal(download.result(), 1.0)
    np.testing.assert_array_equal(queue.download(buffer).result(), 2001.0)


def test_downloads_leave_while_kernels_run(gpu: CudaDevice, program: CudaProgram) -> None:
    queue, first, second = gpu.queue(), zeros(gpu), zeros(gpu)
    spin(program, second, queue)  # also pays for whatever is done at a first launch
    queue.synchronize()
    begun = time.perf_counter()
    add(program, 1, first, queue)
    download = queue.download(first)
    spin(program, second, queue)
    np.testing.assert_array_equal(download.result(), 1.0)
    arrived = time.perf_counter() - begun
    queue.synchronize()
    assert arrived < 0.5 * (time.perf_counter() - begun)


def test_queues_run_side_by_side(gpu: CudaDevice, program: CudaProgram) -> None:
    queues, buffers = [gpu.queue() for _ in range(4)], [zeros(gpu) for _ in range(4)]
    spin(program, buffers[0], queues[0])
    gpu.synchronize()
    begun = time.perf_counter()
    spin(program, buffers[0], queues[0])
    gpu.synchronize()
    one = time.perf_counter() - begun
    begun = time.perf_counter()
    for queue, buffer in zip(queues, buffers, strict=True):
        spin(program, buffer, queue)
    gpu.synchronize()
    assert time.perf_counter() - begun < 2 * one


def test_memory_that_is_short_is_told_and_harms_nothing(gpu: CudaDevice, program: CudaProgram) -> None:
    queue, buffer, free = gpu.queue(), zeros(gpu), gpu.free_bytes()
    with pytest.raises(DeviceMemoryError, match="no memory is left on "):
        gpu.allocate((2 * gpu.facts.total_bytes,), np.dtype(np.uint8))
    add(program, 3, buffer, queue)
    np.testing.assert_array_equal(queue.download(buffer).result(), 3.0)
    # Memory that lies idle gives way to what does not fit beside it.
    gpu.allocate((free // 2,), np.dtype(np.uint8)).close()
    gpu.allocate((free * 6 // 10,), np.dtype(np.uint8)).close()


def test_buffers_may_go_while_work_on_them_is_queued(gpu: CudaDevice, program: CudaProgram) -> None:
    queue = gpu.queue()
    for _ in range(50):
        buffer = zeros(gpu)
        for _ in range(20):
            add(program, 1, buffer, queue)
        del buffer
        again = zeros(gpu)
        np.testing.assert_array_equal(gpu.queue().download(again).result(), 0.0)


def test_arrays_are_shared_with_cupy(gpu: CudaDevice, program: CudaProgram) -> None:
    cupy = pytest.importorskip("cupy")
    queue, buffer = gpu.queue(), zeros(gpu)
    shared: Any = gpu.array(buffer)
    assert shared.data.ptr == buffer.address
    assert (shared.shape, shared.dtype) == (buffer.shape, buffer.dtype)
    spin(program, buffer, queue)
    add(program, 1, buffer, queue)
    there = cupy.asnumpy(shared)
    np.testing.assert_array_equal(there, queue.download(buffer).result())
    shared += 5.0
    add(program, 1, buffer, queue)
    np.testing.assert_array_equal(queue.download(buffer).result(), there + 6.0)


FAULT = """
import ctypes, sys
from pathlib import Path
from ratemlx.errors import InternalError
from ratemlx.runtime.devices import open_device
from tests.gpu.test_adapters import Arguments
device = open_device(sys.argv[1])
program, queue = device.load_program(Path(sys.argv[2]), {"RATEMLX_LANES": "32"}), device.queue()
program.run("add", Arguments(0, 1, 8), 2, 1, queue)
try:
    queue.synchronize()
except InternalError as error:
    print(error)
"""


def test_a_fault_of_a_kernel_is_told_as_ours(gpu: CudaDevice, gpu_device: str, tmp_path: Path) -> None:
    """In a process of its own, for no call succeeds after it."""
    source = tmp_path / "adapters.cu"
    source.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-c", FAULT, gpu_device, str(source)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "internal error (a bug in ratemlx, please report it): a kernel failed on " in done.stdout, done.stderr
    assert gpu.facts.name in done.stdout
