"""Compiles every committed CUDA kernel for the GPUs that are promised; fails without nvcc, on errors and on spills.

`python -m tests.house.compile_cuda` prints a line per kernel, architecture and precision.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ratemlx.abi import BLOCK_SIZES, Manifest, definitions
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
    macros = definitions(manifest, lanes=LANES, block=block)
    command = [nvcc, f"-arch={architecture}", "-std=c++17", "-cubin", "-Xptxas", "-v", "-I", str(INCLUDE)]
    command += [f"-D{name}={value}" for name, value in macros.items()]
    command += ["-o", os.devnull, str(folder / manifest.kernel)]
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
    jobs = [(folder, architecture) for folder in folders for architecture in ARCHITECTURES]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return max(pool.map(lambda job: _report(nvcc, *job), jobs))


def _report(nvcc: str, folder: Path, architecture: str) -> int:
    name = f"{folder.parent.name} {architecture}"
    try:
        found = compile_kernel(nvcc, folder, architecture)
    except subprocess.CalledProcessError as error:
        print(f"{name}: does not compile\n{error.stderr}", flush=True)
        return 1
    for usage in found:
        print(f"{name} {usage.function}: {usage.registers} registers, {usage.spilled_bytes} bytes spilled", flush=True)
    return int(not found or any(usage.spilled_bytes for usage in found))


if __name__ == "__main__":
    sys.exit(main())
