"""Which package and which compiler are taken for `cuda`, and what is said where there is none."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from ratemlx.errors import DeviceError
from ratemlx.runtime.devices import cuda_open, open_device
from ratemlx.runtime.devices.cuda import CudaDevice
from ratemlx.runtime.devices.nvcc import find_nvcc
from ratemlx.runtime.devices.nvrtc import find_nvrtc
from tests.support.fake_cuda import DriverCalls


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was asked for, where every package is played by the fake driver."""
    found: dict[str, Any] = {}

    def open_package(name: str, number: int) -> DriverCalls:
        found.update(package=name, number=number)
        return DriverCalls()

    def device_code(compilers: Any, source: Path, definitions: Any, architecture: Any) -> bytes:  # noqa: ARG001
        found.update(compilers=compilers, architecture=str(architecture))
        return b"nothing\0"

    monkeypatch.setattr(cuda_open, "_open", open_package)
    monkeypatch.setattr(cuda_open, "_device_code", device_code)
    monkeypatch.delenv("RATEMLX_CUDA_ARCH", raising=False)
    return found


def install(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Let only these packages seem to be installed."""

    def find(name: str) -> ModuleSpec | None:
        if name == "cuda.bindings" and name not in modules:
            raise ModuleNotFoundError("No module named 'cuda'")
        return ModuleSpec(name, None) if name in modules else None

    monkeypatch.setattr(cuda_open, "find_spec", find)


@pytest.mark.parametrize(
    ("name", "installed", "package", "number", "compilers"),
    [
        ("cuda", ["pycuda", "cuda.bindings"], "pycuda", 0, (find_nvcc, find_nvrtc)),
        ("cuda", ["cuda.bindings"], "cuda-core", 0, (find_nvrtc, find_nvcc)),
        ("cuda:2", ["pycuda"], "pycuda", 2, (find_nvcc, find_nvrtc)),
        ("cuda:cuda-core:1", ["pycuda", "cuda.bindings"], "cuda-core", 1, (find_nvrtc, find_nvcc)),
    ],
)
def test_packages_and_compilers(
    name: str, installed: list[str], package: str, number: int, compilers: Any, asked: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    install(monkeypatch, *installed)
    device = open_device(name)
    assert isinstance(device, CudaDevice)
    device.load_program(Path("program.cu"), {})
    assert asked == {"package": package, "number": number, "compilers": compilers, "architecture": "sm_90"}


def test_none_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    with pytest.raises(DeviceError, match="no Python package that reaches GPUs is installed") as caught:
        open_device("cuda")
    assert "pip install 'ratemlx[cuda]'" in (caught.value.hint or "")


@pytest.mark.parametrize(("package", "module"), [("pycuda", "pycuda"), ("cuda-core", "cuda.bindings")])
def test_the_one_asked_for_is_not_installed(package: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DeviceError, match=f"{package} is not installed"):
        open_device(f"cuda:{package}")


def test_the_architecture_is_the_callers_or_the_environments(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "pycuda")
    monkeypatch.setenv("FAKE_CUDA_CAPABILITY", "86")
    monkeypatch.setenv("RATEMLX_CUDA_ARCH", "sm_80")
    for arch, expected in ((None, "sm_80"), ("8.6", "sm_86")):
        open_device("cuda", arch=arch).load_program(Path("program.cu"), {})
        assert asked["architecture"] == expected
    monkeypatch.setenv("RATEMLX_CUDA_ARCH", "sm_90")
    with pytest.raises(DeviceError, match="code for sm_90 does not run on Fake GPU, which is sm_86"):
        open_device("cuda")
