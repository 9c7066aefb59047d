"""Compiles every committed CUDA kernel, and the package's own programs, for the GPUs that are promised.

Fails without nvcc, on errors and on spills.

`python -m tests.house.compile_cuda` prints a line per kernel, architecture and precision.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ratemlx.abi import BLOCK_SIZES, Manifest, definitions
from ratemlx.observables import programs
from ratemlx.observables.layout import Layout
from ratemlx.resources import INCLUDE
from tests.house.sources import CHECKOUT

ARCHITECTURES = ("sm_80", "sm_90")
LANES = 32
GENERATED = CHECKOUT / "generated"


@dataclass(frozen=True)
class Usage:
    """What ptxas reports of one kernel function."""

    function: str
    registers: int
    spilled_bytes: int


def find_nvcc() -> str | None:
    """The CUDA compiler: on the PATH, or where the toolkit is installed by default."""
    folder = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    return shutil.which("nvcc") or shutil.which("nvcc", path=str(folder / "bin"))


def compile_kernel(nvcc: str, folder: Path, architecture: str, block: int = BLOCK_SIZES[0]) -> tuple[Usage, ...]:
    """Compile a generated CUDA folder's kernel to nothing; raises CalledProcessError with nvcc's words."""
    manifest = Manifest.load(folder)
    return compile_source(nvcc, folder / manifest.kernel, definitions(manifest, lanes=LANES, block=block), architecture)


def compile_program(nvcc: str, name: str, architecture: str, dtype: str = "float32") -> tuple[Usage, ...]:
    """Compile a program of the observables to nothing; raises CalledProcessError with nvcc's words."""
    layout = Layout(n_regions=68, exposures=("E",), period=1.0, n_samples=2, lanes=LANES, dtype=np.dtype(dtype))
    return compile_source(nvcc, programs.source(name), programs.definitions(layout, "cuda"), architecture)


def compile_source(nvcc: str, source: Path, macros: Mapping[str, str], architecture: str) -> tuple[Usage, ...]:
    """Compile a CUDA source to nothing; raises CalledProcessError with nvcc's words."""
    command = [nvcc, f"-arch={architecture}", "-std=c++17", "-cubin", "-Xptxas", "-v", "-I", str(INCLUDE)]
    command += [f"-D{name}={value}" for name, value in macros.items()]
    command += ["-o", os.devnull, str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return tuple(usages(done.stderr))


def usages(report: str) -> Iterator[Usage]:
    """Registers and spills of each function in the report of `ptxas -v`."""
    pattern = re.compile(
        r"Compiling entry function '(?P<name>\w+)'.*?(?P<stores>\d+) bytes spill stores, "
        r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers",
        re.DOTALL,
    )
    for match in pattern.finditer(report):
        yield Usage(match["name"], int(match["registers"]), int(match["stores"]) + int(match["loads"]))


def main() -> int:
    """Compile them all, print what they use; 1 if one fails or spills."""
    nvcc = find_nvcc()
    if nvcc is None:
        print("error: no nvcc; install the CUDA toolkit or put nvcc on the PATH", file=sys.stderr)
        return 1
    folders = sorted(path.parent for path in GENERATED.glob("*/cuda/manifest.json"))
    if not folders:
        print(f"error: no kernels in {GENERATED}", file=sys.stderr)
        return 1
    jobs: list[tuple[str, Callable[[], tuple[Usage, ...]]]] = [
        (f"{folder.parent.name} {architecture}", partial(compile_kernel, nvcc, folder, architecture))
        for folder in folders
        for architecture in ARCHITECTURES
    ]
    jobs += [
        (f"{name} {architecture} {dtype}", partial(compile_program, nvcc, name, architecture, dtype))
        for name in programs.SOURCES
        for architecture in ARCHITECTURES
        for dtype in ("float32", "float64")
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return max(pool.map(lambda job: _report(*job), jobs))


def _report(name: str, compiled: Callable[[], tuple[Usage, ...]]) -> int:
    try:
        found = compiled()
    except subprocess.CalledProcessError as error:
        print(f"{name}: does not compile\n{error.stderr}", flush=True)
        return 1
    for usage in found:
        print(f"{name} {usage.function}: {usage.registers} registers, {usage.spilled_bytes} bytes spilled", flush=True)
    return int(not found or any(usage.spilled_bytes for usage in found))


if __name__ == "__main__":
    sys.exit(main())
