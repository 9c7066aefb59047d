"""The C++ compiler: finding it, asking what the CPU can do, and compiling kernels into a cache.

Knows no model: a source file and preprocessor definitions go in, a shared library comes out.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ratemlx.errors import DeviceError, KernelError
from ratemlx.resources import INCLUDE
from ratemlx.runtime.cache import cache_folder
from ratemlx.runtime.devices.compiled import TIMEOUT, Entry, cached_name, first_lines, run_command, source_key

# -ffast-math is left out on purpose: it assumes that no number is infinite or NaN, and may treat the remainder of a
# loop differently from its vector part, so results would depend on the batch.
FLAGS = (
    "-std=c++17",
    "-O3",
    "-march=native",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fPIC",
    "-shared",
    # A CUDA source is C++ to this compiler (devices/emulation.py), whatever its name ends in.
    "-x",
    "c++",
)
PROBE_SECONDS = 30
INSTALL_HINT = "install g++ (apt install g++, dnf install gcc-c++, conda install gxx) or set $CXX"


@dataclass(frozen=True)
class Compiler:
    """A command that compiles C++, and the first line of what it says about its version."""

    command: tuple[str, ...]
    version: str


def find_compiler() -> Compiler:
    """$CXX if it is set, else g++; raises DeviceError with how to install one."""
    return _probe(os.environ.get("CXX", "").strip() or "g++")


@cache
def _probe(text: str) -> Compiler:
    command = tuple(shlex.split(text))
    if shutil.which(command[0]) is None:
        raise DeviceError(f"there is no C++ compiler: {command[0]} is not found", INSTALL_HINT)
    lines = run_command((*command, "--version"), PROBE_SECONDS, INSTALL_HINT).stdout.splitlines()
    return Compiler(command, lines[0] if lines else "unknown")


@cache
def _macros(compiler: Compiler) -> str:
    """Macros that the compiler defines for this CPU, one per line."""
    command = (*compiler.command, "-march=native", "-dM", "-E", "-x", "c++", os.devnull)
    return run_command(command, PROBE_SECONDS, INSTALL_HINT).stdout


def vector_bytes(compiler: Compiler) -> int:
    """Bytes of the widest vector registers of this CPU, as the compiler sees it."""
    macros = _macros(compiler)
    if "__AVX512F__" in macros:
        return 64
    return 32 if "__AVX2__" in macros else 16


@cache
def cpu_model() -> str:
    """The CPU's name and a hash of its features: what code for `native` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    features = found.get("flags") or found.get("Features") or ""
    return f"{found.get('model name', platform.machine())} {_short_hash(features)}"


def _short_hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def compile_library(source: Path, definitions: Mapping[str, str], *, again: bool = False) -> Path:
    """The shared library of a kernel, from the cache if it was compiled before; raises KernelError with the messages.

    `again` compiles even so (for a library that does not load).
    """
    return library_entry(source, definitions).made(again=again)


def library_entry(source: Path, definitions: Mapping[str, str]) -> Entry:
    """The place of a kernel's shared library in the cache; raises DeviceError where there is no compiler.

    The name is a hash of source, headers, flags, definitions, compiler and CPU, so a library in the cache is never
    stale.
    """
    compiler = find_compiler()
    arguments = (*FLAGS, *(f"-D{name}={value}" for name, value in sorted(definitions.items())))

    def compile_to(library: Path) -> str:
        command = (*compiler.command, *arguments, f"-I{INCLUDE}", "-o", str(library), str(source))
        done = run_command(command, TIMEOUT, INSTALL_HINT)
        if done.returncode:
            message = f"{source.name} does not compile:\n{first_lines(done.stderr)}"
            raise KernelError(message, f"compiler: {compiler.version}")
        return done.stderr

    key = source_key(source, (*arguments, *compiler.command, compiler.version, cpu_model()))
    return Entry(cache_folder("kernels") / cached_name(source, key, ".so"), compiler.version, compile_to)
