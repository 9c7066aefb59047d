"""Memory of a GPU as runs use it: series that stay there, batches that are halved, and others in the same process."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import pytest

from ratemlx.errors import DeviceMemoryError
from ratemlx.metrics.evaluate import DEVICE_BYTES
from ratemlx.observables.settings import BoldSettings
from ratemlx.runtime import run
from ratemlx.runtime.devices import cuda_open
from ratemlx.runtime.devices.cuda import CudaDevice
from ratemlx.runtime.limits import SERIES_ON_HOST, analyses_on_device, common_limits
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.outputs import Outputs
from ratemlx.runtime.spec import prepare
from ratemlx.runtime.world import open_world
from tests.support.fake_cuda import DriverCalls, fake_device
from tests.support.shipped import series_of, shipped

SWEEP = {"eta": np.linspace(-6, -4, 128).tolist()}
Opened: TypeAlias = list[CudaDevice]


class Shared:
    """What an array of the host holds on to: a buffer of the fake GPU, whose memory is the host's."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer
        self.__array_interface__ = buffer.__cuda_array_interface__


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """The fake GPUs that runs open."""
    devices: Opened = []

    def open_cuda(binding: str | None, number: int, arch: str | None) -> CudaDevice:  # noqa: ARG001
        devices.append(fake_device(number))
        return devices[-1]

    monkeypatch.setattr(cuda_open, "open_cuda", open_cuda)
    yield devices
    gc.collect()


@pytest.fixture
def arrays(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Arrays of NumPy in the place of CuPy's, over the fake GPU's memory, when all that was queued before is done."""
    given: list[Any] = []

    def array(device: CudaDevice, buffer: Any) -> Any:
        with device.session():
            device.binding.synchronize()
        given.append(buffer.shape)
        return np.asarray(Shared(buffer))

    monkeypatch.setattr(CudaDevice, "array", array)
    return given


def test_series_that_stay_on_a_gpu_give_the_same_metrics(
    opened: Opened, arrays: list[Any], log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(3 * DEVICE_BYTES))
    outputs = Outputs(metrics=("mean_FC", "mean_FR", "mean_PLI"), transient=20.0, keep="none")
    spec = shipped("montbrio", "cuda-emulation", duration=400.0, sweep={"eta": [-6.0, -5.0, -4.0]}, outputs=outputs)
    expected = run(spec)
    log.write_text("")
    found = run(replace(spec, device="cuda"))
    for name in expected.metrics.data_vars:
        np.testing.assert_array_equal(found.metrics[name].values, expected.metrics[name].values)
    assert (3, 2, 400, 68) in arrays
    copied = [int(line.split()[1]) for line in log.read_text().splitlines() if line.startswith("cuMemcpyDtoH")]
    assert copied
    assert max(copied) <= 32 * 4, "steps of divergence, and no sample"
    assert opened[0].free_bytes() == 3 * DEVICE_BYTES, "nothing is left on the device"


def test_metrics_are_computed_on_a_gpu_that_has_room_for_it(arrays: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = Outputs(metrics=("mean_FC",))
    job = prepare(replace(shipped("montbrio", "cuda-emulation", duration=10.0, outputs=outputs), device="cuda"))
    assert not analyses_on_device(job, fake_device())
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(3 * DEVICE_BYTES))
    device = fake_device()
    assert analyses_on_device(job, device)
    limits = common_limits(job, device, open_world())
    assert limits.holds_results
    assert 2 * DEVICE_BYTES * 0.99 < limits.free_bytes <= 2 * DEVICE_BYTES
    assert arrays


def test_the_host_has_room_for_a_batch_that_is_looked_at_beside_one_that_runs() -> None:
    job = prepare(replace(shipped("montbrio", "cuda-emulation", duration=10.0), device="cuda"))
    limits = common_limits(job, fake_device(), open_world())
    assert not limits.holds_results
    assert limits.host_bytes == pytest.approx(free_memory() / SERIES_ON_HOST, rel=0.1)


@pytest.mark.usefixtures("opened")
def test_what_a_failed_attempt_took_is_there_for_its_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four tiles need 19 MiB, of which half were allocated when it failed: two fit if nothing of that is left."""
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(16 << 20))
    monkeypatch.setattr(DriverCalls, "free_bytes", lambda _: 1 << 30)
    spec = shipped("montbrio", "cuda-emulation", duration=100.0, dt=0.5, sweep=SWEEP, seed=3)
    attempts: list[int] = []
    plain = CudaDevice.queue
    monkeypatch.setattr(CudaDevice, "queue", lambda device: attempts.append(1) or plain(device))
    found = series_of(run(replace(spec, device="cuda")))
    np.testing.assert_array_equal(found, series_of(run(spec)))
    assert len(attempts) == 3


@pytest.mark.usefixtures("opened")
def test_a_batch_with_observables_that_does_not_fit_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(24 << 20))
    monkeypatch.setattr(DriverCalls, "free_bytes", lambda _: 1 << 30)
    outputs = Outputs(metrics=("mean_FC",), bold=BoldSettings(TR=20.0), keep="none")
    spec = shipped("montbrio", "cuda-emulation", duration=60.0, sweep=SWEEP, outputs=outputs)
    found, expected = run(replace(spec, device="cuda")), run(spec)
    for name in expected.metrics.data_vars:
        np.testing.assert_array_equal(found.metrics[name].values, expected.metrics[name].values)


@pytest.mark.usefixtures("opened")
def test_not_even_one_tile_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(1 << 20))
    monkeypatch.setattr(DriverCalls, "free_bytes", lambda _: 1 << 30)
    with pytest.raises(DeviceMemoryError, match="no memory is left on Fake GPU"):
        run(replace(shipped("montbrio", "cuda-emulation", duration=2.0, sweep=SWEEP), device="cuda"))


def test_memory_that_cupy_keeps_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA_MEMORY", str(1 << 20))
    device, other = fake_device(), DriverCalls()
    with other.current():
        kept = [other.allocate(700_000)]

    def free_all_blocks() -> None:
        while kept:
            other.free(kept.pop())

    pool = SimpleNamespace(free_all_blocks=free_all_blocks)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(get_default_memory_pool=lambda: pool))
    device.allocate((700_000,), np.dtype(np.uint8))
    assert not kept
    device.close()


def test_no_array_where_cupys_work_is_not_waited_for(device: CudaDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace())
    monkeypatch.setenv("CUPY_CUDA_PER_THREAD_DEFAULT_STREAM", "1")
    assert device.array(device.allocate((1,), np.dtype(np.float32))) is None
