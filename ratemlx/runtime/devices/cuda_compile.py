"""Device code of CUDA sources, from the cache or made by nvcc or NVRTC. Needs no GPU.

A cubin is named by a hash of source, headers, flags, definitions and architecture, and by the compiler that made it. A
machine without a compiler, as compute nodes can be, takes one that another machine left in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ratemlx.abi import BLOCK_SIZES, Manifest, compiler_flags, definitions, usual_form
from ratemlx.errors import DeviceError, KernelError
from ratemlx.runtime.cache import cache_folder
from ratemlx.runtime.devices.compiled import Entry, cached_name, first_lines, source_key
from ratemlx.runtime.devices.cuda_architecture import Architecture, parse_architecture

# --use_fast_math is left out on purpose: it flushes subnormal numbers to zero and takes short cuts in exp and log.
FLAGS = ("-std=c++17", "-lineinfo", "-w")
LANES = 32
MISSING_HINT = "install the CUDA toolkit and set CUDA_HOME, or: pip install cuda-bindings nvidia-cuda-nvrtc"


@dataclass(frozen=True)
class DeviceCode:
    """A cubin, and what ptxas reports of its functions (see ptxas.py)."""

    cubin: bytes
    report: str = ""


class CudaCompiler(Protocol):
    """Something that makes device code: `version` is a part of file names, such as nvcc-13.0.88."""

    @property
    def version(self) -> str:
        """Its name and version."""

    @property
    def settings(self) -> tuple[str, ...]:
        """What else decides about its output."""

    def compile(self, source: Path, options: Sequence[str]) -> DeviceCode:
        """The device code of a source; raises CompilationFailed."""


class CompilationFailed(Exception):  # noqa: N818
    """A source that a compiler refused, with its messages."""


Find = Callable[[], CudaCompiler]
"""Finds a compiler, or raises DeviceError with the reason why there is none."""


def device_code(source: Path, chosen: Mapping[str, str], architecture: Architecture, compilers: Sequence[Find]) -> Path:
    """The cubin of a source by the first of the compilers that is there; raises KernelError or DeviceError."""
    return cubin_entry(source, chosen, architecture, compilers).made()


def cubin_entry(
    source: Path, chosen: Mapping[str, str], architecture: Architecture, compilers: Sequence[Find]
) -> Entry:
    """The place of a source's cubin in the cache; without a compiler that of any that another machine left there."""
    macros = (f"-D{name}={value}" for name, value in sorted(chosen.items()))
    options = (*FLAGS, *compiler_flags(chosen), f"-arch={architecture}", *macros)
    folder, found = cache_folder("kernels"), _first(compilers)
    settings = () if isinstance(found, list) else found.settings
    key = source_key(source, (*options, *settings))
    if isinstance(found, list):
        reasons = "; ".join(found)

        def refuse(_: Path) -> str:
            raise DeviceError(f"no CUDA compiler is found: {reasons}", MISSING_HINT)

        left = sorted(folder.glob(f"*-{key}-*.cubin"))
        return Entry(left[-1] if left else folder / cached_name(source, key, ".cubin"), "none", refuse)
    compiler = found

    def make(cubin: Path) -> str:
        try:
            code = compiler.compile(source, options)
        except CompilationFailed as error:
            raise _refused(source, str(error), architecture, compiler) from error
        cubin.write_bytes(code.cubin)
        return code.report

    path = folder / cached_name(source, key, f"-{compiler.version}.cubin")
    return Entry(path, compiler.version, make)


def _first(compilers: Sequence[Find]) -> CudaCompiler | list[str]:
    """The first compiler that is there, or why none is."""
    reasons = []
    for find in compilers:
        try:
            return find()
        except DeviceError as error:
            reasons.append(error.message)
    return reasons


def _refused(source: Path, messages: str, architecture: Architecture, compiler: CudaCompiler) -> KernelError:
    lowered = messages.lower()
    if "too much shared data" in lowered:
        return KernelError(
            f"{source.name} keeps more numbers per thread block than {architecture} has shared memory for (48 KiB)",
            "try --precision float32, or a smaller block: a higher speed or a larger dt has one",
        )
    if "unsupported gpu architecture" in lowered or ("gpu-architecture" in lowered and "invalid" in lowered):
        return KernelError(
            f"{compiler.version} does not know {architecture}",
            "use a CUDA toolkit that does: CUDA 13 knows sm_75 and newer, older GPUs need CUDA 12",
        )
    return KernelError(f"{source.name} does not compile:\n{first_lines(messages)}", f"compiler: {compiler.version}")


def compile_for(
    folder: Path, architecture: str, chosen: Mapping[str, str], compilers: Sequence[Find] | None = None
) -> Path:
    """Put one variant of a generated folder's kernel into the cache, for GPUs that need not be in this machine."""
    manifest = Manifest.load(folder)
    if manifest.target != "cuda":
        raise KernelError(f"{folder} holds a {manifest.target} kernel, and GPUs run cuda kernels")
    found = all_compilers() if compilers is None else compilers
    return device_code(folder / manifest.kernel, chosen, parse_architecture(architecture), found)


def default_variants(manifest: Manifest) -> Iterator[dict[str, str]]:
    """The variants of a kernel that runs without further options take, one for each size of blocks."""
    for block in BLOCK_SIZES:
        yield definitions(manifest, lanes=LANES, block=block, form=usual_form(block))


def all_compilers() -> tuple[Find, ...]:
    """nvcc, then NVRTC."""
    from ratemlx.runtime.devices.nvcc import find_nvcc
    from ratemlx.runtime.devices.nvrtc import find_nvrtc

    return find_nvcc, find_nvrtc
