"""Opening a GPU: through PyCUDA where it is installed, else through cuda-core, each with the compiler that suits it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from ratemlx.errors import DeviceError
from ratemlx.runtime.devices.cuda import CudaDevice
from ratemlx.runtime.devices.cuda_architecture import Architecture, chosen_architecture, parse_architecture
from ratemlx.runtime.devices.cuda_binding import Binding, CudaFailure
from ratemlx.runtime.devices.cuda_compile import Find, all_compilers, device_code
from ratemlx.runtime.devices.cuda_errors import explain
from ratemlx.runtime.devices.names import BINDINGS

INSTALL_HINT = "pip install 'ratemlx[cuda]' (PyCUDA, needs the CUDA toolkit) or 'ratemlx[cuda-core]'"


def open_cuda(binding: str | None, number: int, arch: str | None = None) -> CudaDevice:
    """GPU `number` of those that CUDA_VISIBLE_DEVICES shows, by the package `binding`, or one that is there."""
    chosen = binding or _installed()
    if chosen is None:
        raise DeviceError("no Python package that reaches GPUs is installed", INSTALL_HINT)
    return CudaDevice(_open(chosen, number), partial(_device_code, compilers_for(chosen)), asked_architecture(arch))


def asked_architecture(arch: str | None) -> Architecture | None:
    """What `arch` or $RATEMLX_CUDA_ARCH names; None for the GPU's own."""
    return parse_architecture(arch) if arch else chosen_architecture()


def compilers_for(binding: str | None) -> tuple[Find, ...]:
    """CUDA compilers in the order in which a GPU asks them that is reached by `binding`, or by what is installed."""
    nvcc, nvrtc = all_compilers()
    return (nvrtc, nvcc) if (binding or _installed()) == BINDINGS[1] else (nvcc, nvrtc)


def _installed() -> str | None:
    for name, module in zip(BINDINGS, ("pycuda", "cuda.bindings"), strict=True):
        if _is_there(module):
            return name
    return None


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _open(name: str, number: int) -> Binding:
    try:
        if name == BINDINGS[0]:
            from ratemlx.runtime.devices.cuda_pycuda import PyCuda

            return PyCuda(number)
        from ratemlx.runtime.devices.cuda_core import CudaBindings

        return CudaBindings(number)
    except ModuleNotFoundError as error:
        raise DeviceError(f"{name} is not installed", INSTALL_HINT) from error
    except CudaFailure as failure:
        raise explain(failure, f"cuda:{number} ({name})") from failure


def _device_code(
    compilers: tuple[Find, ...], source: Path, definitions: Mapping[str, str], architecture: Architecture
) -> bytes:
    return device_code(source, definitions, architecture, compilers).read_bytes()
