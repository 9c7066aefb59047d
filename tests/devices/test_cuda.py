"""The logic of CUDA adapters, without a GPU: launches, copies, memory and errors, with the numbers of real kernels.

A fake driver runs kernels that were compiled for the host, and as late as the rules of streams allow: who forgets to
wait reads memory without numbers.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from ratemlx.abi import Batch, Form, Manifest, definitions
from ratemlx.errors import DeviceError, DeviceMemoryError, InternalError, KernelError
from ratemlx.observables.settings import BoldSettings
from ratemlx.runtime import run
from ratemlx.runtime.devices import cuda_open
from ratemlx.runtime.devices.cuda import CudaDevice, CudaProgram
from ratemlx.runtime.devices.cuda_architecture import Architecture
from ratemlx.runtime.devices.cuda_binding import CudaFailure
from ratemlx.runtime.devices.cuda_errors import WORDS, explain
from ratemlx.runtime.devices.cuda_memory import rounded
from ratemlx.runtime.devices.cuda_queue import CudaQueue, DeviceBuffer
from ratemlx.runtime.outputs import Outputs
from tests.support.fake_cuda import DriverCalls, emulated, fake_device
from tests.support.shipped import GENERATED, series_of, shipped

OnBoth: TypeAlias = Callable[..., tuple[Any, Any]]


@pytest.fixture
def on_both(monkeypatch: pytest.MonkeyPatch) -> OnBoth:
    """Results of the same run on the fake GPU and in the emulation."""

    monkeypatch.setattr(cuda_open, "open_cuda", lambda binding, number, arch: fake_device(number))  # noqa: ARG005

    def both(model: str, **settings: Any) -> tuple[Any, Any]:
        spec = shipped(model, "cuda-emulation", seed=3, **settings)
        return run(replace(spec, device="cuda")), run(spec)

    return both


@pytest.mark.parametrize("model", ["montbrio", "kuramoto"])
def test_a_run_has_the_numbers_of_the_emulation(model: str, on_both: OnBoth) -> None:
    found, expected = map(series_of, on_both(model, duration=6.0))
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, expected)


def test_batches_do_not_alter_bits(on_both: OnBoth) -> None:
    sweep = {"global_coupling": np.linspace(0.1, 0.9, 33).tolist()}
    settings = {"duration": 2.0, "sweep": sweep, "observe": ("E",)}
    whole, expected = map(series_of, on_both("adex", **settings))
    parts, _ = map(series_of, on_both("adex", **settings, batch_size=1))
    np.testing.assert_array_equal(whole, expected)
    np.testing.assert_array_equal(parts, expected)


def test_observables_of_the_device_are_those_of_the_emulation(on_both: OnBoth) -> None:
    outputs = Outputs(metrics=("mean_FC", "mean_FR"), bold=BoldSettings(TR=20.0), transient=10.0, keep="none")
    found, expected = on_both("montbrio", duration=60.0, sweep={"eta": [-5.0, -4.8, -4.6]}, outputs=outputs)
    assert {"mean_FC_r", "std_FR_V", "mean_FC_r_BOLD"} <= set(expected.metrics.data_vars)
    assert np.isfinite(expected.metrics["mean_FC_r"].values).all()
    for name in expected.metrics.data_vars:
        np.testing.assert_array_equal(found.metrics[name].values, expected.metrics[name].values)


def test_launches_cover_all_steps_in_blocks(on_both: OnBoth, log: Path) -> None:
    on_both("montbrio", duration=10.3, period=0.1)
    lines = [line.split() for line in log.read_text().splitlines()]
    kernels = [line for line in lines if line[0].endswith("_kernel")]
    # 103 steps in blocks of 16: six whole ones and a rest; one tile of 32 lanes, 68 regions.
    assert kernels == [["start_kernel", "1", "68", "32"], *[["advance_kernel", "1", "68", "32"]] * 7]


def test_a_batch_that_does_not_fit_is_halved(on_both: OnBoth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(24 << 20))
    sweep = {"eta": np.linspace(-6, -4, 128).tolist()}
    # What the driver says is free is more than there is, as when another process takes its share after the plan.
    monkeypatch.setattr(DriverCalls, "free_bytes", lambda _: 1 << 30)
    found, expected = map(series_of, on_both("montbrio", duration=2.0, sweep=sweep))
    np.testing.assert_array_equal(found, expected)


class Arguments(ctypes.Structure):
    _fields_ = [("amount", ctypes.c_int32), ("values", ctypes.c_void_p)]


ADD = """
#include <stdint.h>
struct Arguments { int32_t amount; float *values; };
extern "C" void ratemlx_add(const Arguments *arguments, int32_t first_tile, int32_t last_tile)
{
    for (int i = first_tile * 32; i < last_tile * 32; ++i) arguments->values[i] += (float)arguments->amount;
}
"""


@pytest.fixture
def adding(device: CudaDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CudaProgram:
    """A program that adds an amount to all values."""
    monkeypatch.setattr(device, "_compile", partial(emulated, size=ctypes.sizeof(Arguments)))
    source = tmp_path / "add.cu"
    source.write_text(ADD)
    return device.load_program(source, {"RATEMLX_LANES": "32"})


def add(program: CudaProgram, amount: int, buffer: DeviceBuffer, queue: CudaQueue) -> None:
    program.run("add", Arguments(amount, buffer.address), 2, 1, queue)


def zeros(device: CudaDevice) -> DeviceBuffer:
    return device.allocate((2, 32), np.dtype(np.float32))


def test_arrays_come_and_go(device: CudaDevice) -> None:
    for array in (np.arange(12, dtype=np.int32).reshape(3, 4), np.zeros((0, 5)), np.asfortranarray(np.eye(3))):
        buffer = device.upload(array)
        found = device.queue().download(buffer).result()
        np.testing.assert_array_equal(found, array)
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(device.queue().download(zeros(device)).result(), 0)


def test_a_download_is_of_its_moment(device: CudaDevice, adding: CudaProgram) -> None:
    queue, buffer = device.queue(), zeros(device)
    add(adding, 1, buffer, queue)
    download = queue.download(buffer)
    add(adding, 2, buffer, queue)
    device.synchronize()
    np.testing.assert_array_equal(download.result(), 1)
    np.testing.assert_array_equal(queue.download(buffer).result(), 3)


def test_a_download_waits_for_nothing_that_comes_later(device: CudaDevice, adding: CudaProgram, log: Path) -> None:
    queue, first, second = device.queue(), zeros(device), zeros(device)
    log.write_text("")
    add(adding, 1, first, queue)
    download = queue.download(first)
    add(adding, 5, second, queue)
    np.testing.assert_array_equal(download.result(), 1)
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["add_kernel", "cuMemcpyDtoHAsync"]
    queue.synchronize()
    np.testing.assert_array_equal(queue.download(second).result(), 5)


def test_a_structure_is_copied_when_it_is_given(device: CudaDevice, adding: CudaProgram) -> None:
    queue, buffer = device.queue(), zeros(device)
    arguments = Arguments(1, buffer.address)
    adding.run("add", arguments, 2, 1, queue)
    arguments.amount = 100
    np.testing.assert_array_equal(queue.download(buffer).result(), 1)


def test_queues_run_side_by_side(device: CudaDevice, adding: CudaProgram, log: Path) -> None:
    queues, buffers = [device.queue(), device.queue()], [zeros(device), zeros(device)]
    log.write_text("")
    for amount, queue, buffer in zip((1, 2), queues, buffers, strict=True):
        add(adding, amount, buffer, queue)
    np.testing.assert_array_equal(queues[1].download(buffers[1]).result(), 2)
    assert log.read_text().count("add_kernel") == 1
    device.synchronize()
    assert log.read_text().count("add_kernel") == 2


def test_memory_is_used_again_and_only_when_work_on_it_is_done(device: CudaDevice, adding: CudaProgram) -> None:
    queue, buffer = device.queue(), zeros(device)
    address, free = buffer.address, device.free_bytes()
    add(adding, 1, buffer, queue)
    del buffer
    assert device.free_bytes() == free + rounded(2 * 32 * 4)
    again = zeros(device)
    assert again.address == address
    queue.synchronize()
    np.testing.assert_array_equal(device.queue().download(again).result(), 0)
    again.close()
    again.close()
    assert device.free_bytes() == free + rounded(2 * 32 * 4)


def test_host_memory_is_not_lent_again_while_somebody_looks(device: CudaDevice) -> None:
    queue = device.queue()
    first = device.upload(np.full(100, 1.0))
    seen = queue.download(first).result()
    del first
    second = device.upload(np.full(100, 2.0))
    np.testing.assert_array_equal(queue.download(second).result(), 2.0)
    np.testing.assert_array_equal(seen, 1.0)
    place = seen.ctypes.data
    del seen
    gc.collect()
    third = device.upload(np.full(100, 3.0))
    assert queue.download(third).result().ctypes.data == place


def test_host_memory_is_not_lent_again_while_a_copy_writes_to_it(device: CudaDevice) -> None:
    first, second = device.queue(), device.queue()
    buffer = device.upload(np.full(100, 2.0))
    first.download(device.upload(np.full(100, 1.0)))
    del first
    seen = second.download(buffer).result()
    device.synchronize()
    np.testing.assert_array_equal(seen, 2.0)


def test_memory_that_lies_idle_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(1 << 20))
    device = fake_device()
    free = device.free_bytes()
    kept = device.allocate((300_000,), np.dtype(np.uint8))
    device.allocate((500_000,), np.dtype(np.uint8)).close()
    other = device.allocate((600_000,), np.dtype(np.uint8))
    with pytest.raises(DeviceMemoryError, match="no memory is left on Fake GPU"):
        device.allocate((600_000,), np.dtype(np.uint8))
    assert device.free_bytes() == free - rounded(300_000) - rounded(600_000)
    kept.close()
    device.close()
    assert device.free_bytes() == free - rounded(600_000)
    other.close()
    assert device.free_bytes() == free


def test_streams_are_handed_on(device: CudaDevice) -> None:
    first = device.queue()
    stream = first.stream
    other = device.queue()
    assert other.stream is not stream
    del first
    assert device.queue().stream is stream


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("block", [("advance_kernel", (3, 7), (32, 1), 32, 16), ("advance_kernel", (3, 7), (32, 1), 48, 4)]),
        ("tile", [("advance_tile_kernel", (3, 1), (32, 8), 32, 20)]),
    ],
)
def test_launches_of_both_forms(form: Form, expected: list[object]) -> None:
    found: list[object] = []

    class Recording(DriverCalls):
        def launcher(self, function: Any, grid: Any, threads: Any, arguments: Any, stream: Any) -> Any:  # noqa: ARG002
            return lambda: found.append((names[-1], grid, threads, arguments.first_step, arguments.n_steps))

        def load(self, image: bytes) -> Any:  # noqa: ARG002
            return lambda name: names.append(name)

    names: list[str] = []
    device = CudaDevice(Recording(), lambda *_: b"nothing")
    manifest = Manifest.load(GENERATED / "montbrio" / "cuda")
    kernel = device.load(
        GENERATED / "montbrio" / "cuda", manifest, definitions(manifest, lanes=32, block=16, form=form)
    )
    kernel.advance(Batch(n_tiles=3, n_nodes=7, first_step=32, n_steps=20), device.queue())
    assert found == expected


def test_more_regions_than_a_grid_has_rows(device: CudaDevice, adding: CudaProgram) -> None:
    with pytest.raises(DeviceError, match="70,000 regions are too many for a GPU, which takes up to 65,535"):
        adding.run("add", Arguments(), 1, 70_000, device.queue())


def test_a_function_that_is_not_there(device: CudaDevice, adding: CudaProgram) -> None:
    with pytest.raises(KernelError, match="has no function subtract_kernel"):
        adding.run("subtract", Arguments(), 1, 1, device.queue())


def test_it_says_what_it_is(device: CudaDevice) -> None:
    assert (device.name, device.target) == ("Fake GPU, 1.0 GiB (fake driver)", "cuda")
    assert [device.lanes("float32"), device.lanes("float64"), device.workers] == [32, 32, 4]
    assert str(device.architecture) == "sm_90"


def test_what_a_gpu_cannot_run(monkeypatch: pytest.MonkeyPatch, device: CudaDevice) -> None:
    monkeypatch.setenv("FAKE_CUDA_CAPABILITY", "61")
    with pytest.raises(DeviceError, match="Fake GPU is too old: its architecture is sm_61, sm_70 is needed"):
        fake_device()
    monkeypatch.setenv("FAKE_CUDA_CAPABILITY", "80")
    with pytest.raises(DeviceError, match="code for sm_90 does not run on Fake GPU, which is sm_80"):
        fake_device(architecture=Architecture(9, 0))
    monkeypatch.setenv("FAKE_CUDA_CAPABILITY", "86")
    assert str(fake_device(architecture=Architecture(8, 0)).architecture) == "sm_80"
    cpp = GENERATED / "montbrio" / "cpp"
    with pytest.raises(KernelError, match="holds a cpp kernel"):
        device.load(cpp, Manifest.load(cpp), {})
    cuda = Manifest.load(GENERATED / "montbrio" / "cuda")
    with pytest.raises(KernelError, match="16 steps of 1024 instances of montbrio need more shared memory"):
        device.load(GENERATED / "montbrio" / "cuda", cuda, definitions(cuda, lanes=1024, block=16))


@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        ("cuMemAlloc:2", DeviceMemoryError, "no memory is left on Fake GPU (fake driver)"),
        (
            "cuMemsetD8Async:700",
            InternalError,
            "a kernel failed on Fake GPU (fake driver): an illegal memory access was",
        ),
        ("cuMemsetD8Async:719", InternalError, "a kernel failed on Fake GPU"),
        ("cuMemsetD8Async:214", DeviceError, "Fake GPU (fake driver) reports a memory error of its hardware"),
        ("cuMemsetD8Async:400", DeviceError, "cuMemsetD8Async failed on Fake GPU (fake driver): unspecified"),
        ("cuMemsetD8Async:702", DeviceError, "Fake GPU (fake driver) ended a kernel that took too long"),
    ],
)
def test_failures_are_told_in_one_message(
    failure: str, kind: type[Exception], message: str, device: CudaDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CUDA_FAIL", failure)
    with pytest.raises(kind) as caught:
        zeros(device)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "NVIDIA's driver does not answer: initialization error"),
        (46, "cuda:1 is busy: another process has it to itself"),
        (100, "there is no NVIDIA GPU that can be used (CUDA_VISIBLE_DEVICES is '7')"),
        (101, "there is no such GPU: cuda:1 (CUDA_VISIBLE_DEVICES is '7')"),
        (209, "cuda:1 cannot load a compiled kernel: no kernel image is available for execution on the device"),
        (701, "cuda:1 has too few registers or too little shared memory for a kernel"),
    ],
)
def test_failures_by_number_or_by_the_drivers_words(code: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    text = next(text for text, number in WORDS.items() if number == code)
    for failure in (CudaFailure("cuInit", code, text), CudaFailure("cuInit", None, text)):
        assert message in str(explain(failure, "cuda:1"))
