"""What devices are called, and which architectures run which code."""

from __future__ import annotations

import pytest

from ratemlx.errors import DeviceError
from ratemlx.runtime.devices import open_device, parse_device
from ratemlx.runtime.devices.cuda_architecture import Architecture, chosen_architecture, parse_architecture
from ratemlx.runtime.devices.names import DeviceName


@pytest.mark.parametrize(
    ("text", "name", "target"),
    [
        ("cpu", DeviceName("cpu"), "cpp"),
        ("cuda-emulation", DeviceName("cuda-emulation"), "cuda"),
        ("cuda", DeviceName("cuda"), "cuda"),
        ("cuda:3", DeviceName("cuda", None, 3), "cuda"),
        ("cuda:pycuda", DeviceName("cuda", "pycuda"), "cuda"),
        ("cuda:cuda-core:11", DeviceName("cuda", "cuda-core", 11), "cuda"),
    ],
)
def test_names_of_devices(text: str, name: DeviceName, target: str) -> None:
    assert parse_device(text) == name
    assert str(name) == text
    assert name.target == target


@pytest.mark.parametrize(
    "text", ["gpu", "", "cuda:", "cuda:-1", "cuda:1:pycuda", "cuda:cupy", "cpu:0", "cuda:²", 3, None]
)
def test_what_is_no_device(text: object) -> None:
    with pytest.raises(DeviceError, match="there is no device "):
        parse_device(text)


def test_a_gpu_is_called_cuda() -> None:
    with pytest.raises(DeviceError) as caught:
        open_device("gpu")
    assert caught.value.hint == "cuda is the device"


@pytest.mark.parametrize(
    ("text", "name"), [("sm_80", "sm_80"), ("90", "sm_90"), ("8.9", "sm_89"), ("SM_90a", "sm_90a")]
)
def test_names_of_architectures(text: str, name: str) -> None:
    assert str(parse_architecture(text)) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ampere", "'ampere' is no GPU architecture"),
        ("", "'' is no GPU"),
        ("sm_61", "sm_61 is too old: sm_70 is the oldest"),
    ],
)
def test_what_is_no_architecture(text: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        parse_architecture(text)


def test_which_code_runs_where() -> None:
    ampere, lovelace, hopper = Architecture(8, 0), Architecture(8, 9), Architecture(9, 0)
    assert ampere.runs_on(ampere)
    assert ampere.runs_on(lovelace)
    assert not lovelace.runs_on(ampere)
    assert not lovelace.runs_on(hopper)
    assert Architecture(9, 0, "a").runs_on(hopper)
    assert not Architecture(12, 0, "a").runs_on(Architecture(12, 1))


def test_the_architecture_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RATEMLX_CUDA_ARCH", raising=False)
    assert chosen_architecture() is None
    monkeypatch.setenv("RATEMLX_CUDA_ARCH", "sm_86")
    assert chosen_architecture() == Architecture(8, 6)
