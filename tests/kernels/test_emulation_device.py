"""The device that plays a GPU: what it is called by, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ratemlx
from ratemlx.errors import DeviceError, KernelError
from ratemlx.runtime import run
from ratemlx.runtime.devices import open_device
from tests.support.shipped import shipped


def test_simulate_takes_it_as_a_target() -> None:
    found = ratemlx.simulate("montbrio", target="cuda-emulation", duration=5.0, seed=3, observe=["r"], threads=1)
    direct = run(shipped("montbrio", "cuda-emulation", duration=5.0, seed=3, observe=("r",)))
    np.testing.assert_array_equal(found.time_series.values, direct.time_series.values)
    assert found.status.values.tolist() == ["ok"]


def test_it_says_what_it_is() -> None:
    device = open_device("cuda-emulation", 1)
    assert device.name.startswith("CUDA emulated on ")
    assert (device.target, device.workers) == ("cuda", 1)
    assert [device.lanes("float32"), device.lanes("float64")] == [32, 32]
    device.close()


@pytest.mark.parametrize(
    ("device", "other", "kinds"),
    [("cpu", "cuda-emulation", ("cuda", "cpp")), ("cuda-emulation", "cpu", ("cpp", "cuda"))],
)
def test_each_device_refuses_the_others_folder(device: str, other: str, kinds: tuple[str, str]) -> None:
    spec = shipped("montbrio", other, duration=1.0)
    with pytest.raises(KernelError) as caught:
        run(replace(spec, device=device))
    assert f"holds a {kinds[0]} kernel; " in caught.value.message
    assert caught.value.message.endswith(f"runs {kinds[1]} kernels")


def test_an_unknown_device_is_a_users_error() -> None:
    with pytest.raises(DeviceError) as caught:
        open_device("cuda-emulatoin")
    assert caught.value.message == "there is no device 'cuda-emulatoin'"
