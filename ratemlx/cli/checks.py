"""What `ratemlx doctor` looks at. Each check answers with a finding and never raises.

Knows the names of optional packages, but imports none of them: what is installed is read from records.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PROBE_SECONDS = 20
OPTIONAL_PACKAGES = {
    "mpi4py": ("sweeps over many processes", "pip install mpi4py"),
    "tvb-library": ("comparisons with The Virtual Brain", "pip install tvb-library"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for; `remedy` is the command that installs it, or what to do."""

    name: str
    found: bool
    required: bool
    detail: str
    remedy: str = ""


def examine() -> tuple[Finding, ...]:
    """All findings, in the order in which they are shown."""
    return (
        _python(),
        *_packages(),
        *_compiler(),
        _cache_folder(),
        _connectomes(),
        _gpu(),
        _nvcc(),
        _cuda_binding(),
        *(_optional(name, purpose, remedy) for name, (purpose, remedy) in OPTIONAL_PACKAGES.items()),
    )


def _python() -> Finding:
    return Finding(
        "Python", sys.version_info >= (3, 10), True, platform.python_version(), "install Python 3.10 or newer"
    )


def _packages() -> Iterator[Finding]:
    yield Finding("ratemlx", True, True, _version("ratemlx") or "not installed, run from its source")
    for requirement in metadata.requires("ratemlx") or () if _version("ratemlx") else ():
        if "extra ==" not in requirement:
            name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]
            version = _version(name)
            yield Finding(name, version is not None, True, version or "-", f"pip install '{requirement}'")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _compiler() -> Iterator[Finding]:
    """The compiler, and the widest vectors that it uses for this processor."""
    from ratemlx.errors import RatemlxError
    from ratemlx.runtime.devices.compiler import find_compiler, vector_bytes

    try:
        compiler = find_compiler()
        width = vector_bytes(compiler)
    except RatemlxError as error:
        yield Finding("C++ compiler", False, True, error.message, error.hint or "")
        return
    yield Finding("C++ compiler", True, True, compiler.version)
    yield Finding("SIMD", True, False, f"{8 * width} bits: {width // 4} float32 or {width // 8} float64 at once")


def _cache_folder() -> Finding:
    from ratemlx.errors import DeviceError
    from ratemlx.runtime.cache import VARIABLE, cache_folder

    try:
        folder = cache_folder("kernels")
    except DeviceError as error:
        return Finding("cache folder", False, True, error.message, error.hint or "")
    remedy = f"set {VARIABLE} to a folder that can be written"
    return Finding("cache folder", os.access(folder, os.W_OK), True, str(folder), remedy)


def _connectomes() -> Finding:
    version = _version("tvb-data")
    return Finding("connectomes", version is not None, False, f"tvb-data {version or '-'}", "pip install tvb-data")


def _gpu() -> Finding:
    query = _output("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    cards = (query or "").strip().splitlines()
    return Finding(
        "NVIDIA GPU",
        bool(cards),
        False,
        "; ".join(f"{card} (driver)" for card in cards) if cards else "no driver answers",
        "only to run on a GPU: install NVIDIA's driver; sweeps run on the CPU without",
    )


def _nvcc() -> Finding:
    folder = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    command = shutil.which("nvcc") or str(folder / "bin" / "nvcc")
    release = re.search(r"release [\d.]+", _output(command, "--version") or "")
    return Finding(
        "nvcc",
        release is not None,
        False,
        f"{command}, {release[0]}" if release else "-",
        "only to compile for GPUs, with PyCUDA: install the CUDA toolkit and set CUDA_HOME",
    )


def _cuda_binding() -> Finding:
    bindings, helpers = ("pycuda", "cuda-core"), ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12")
    installed = [f"{name} {version}" for name in bindings if (version := _version(name))]
    if installed:
        installed += [f"{name} {version}" for name in helpers if (version := _version(name))]
    remedy = "only to run on a GPU: pip install 'ratemlx[cuda]' or 'ratemlx[cuda-core]'"
    return Finding("CUDA from Python", bool(installed), False, ", ".join(installed) or "-", remedy)


def _optional(name: str, purpose: str, remedy: str) -> Finding:
    version = _version(name)
    return Finding(name, version is not None, False, version or f"- ({purpose})", remedy)


def _output(*command: str) -> str | None:
    """Standard output of a command; None if it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
