"""Compiles every committed CUDA kernel for the GPUs that are promised, and holds what it takes against a table.

`python -m tests.house.compile_cuda` prints a line per kernel, architecture and precision: registers, bytes spilled and
of shared memory, instructions. It fails without nvcc, where a kernel does not compile or spills, and where one takes
more than `cuda_kernels.txt` says; RATEMLX_UPDATE=1 writes that file anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ratemlx.abi import BLOCK_SIZES, Form, Manifest, Precision, compiler_flags, definitions
from ratemlx.bench.sass import FunctionCounts, count_sass, disassemble, find_disassembler
from ratemlx.resources import INCLUDE
from ratemlx.runtime.devices.ptxas import Usage, usages
from tests.house.kernel_table import TABLE, Row, compared, read_table, written_table
from tests.house.sources import CHECKOUT

ARCHITECTURES = ("sm_80", "sm_90")
LANES = 32
GENERATED = CHECKOUT / "generated"
FUNCTIONS: dict[Form, str] = {"block": "advance_kernel", "tile": "advance_tile_kernel"}


@dataclass(frozen=True)
class Variant:
    """A kernel as it is compiled: the largest block of steps, or single steps where a thread block keeps a tile."""

    folder: Path
    architecture: str
    precision: Precision = "float32"
    form: Form = "block"

    @property
    def name(self) -> tuple[str, str, str, str]:
        """Its place in the table."""
        return self.folder.parent.name, self.architecture, self.precision, self.form

    @property
    def block(self) -> int:
        """Steps at once."""
        return BLOCK_SIZES[0] if self.form == "block" else 1


def find_nvcc() -> str | None:
    """The CUDA compiler: on the PATH, or where the toolkit is installed by default."""
    folder = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    return shutil.which("nvcc") or shutil.which("nvcc", path=str(folder / "bin"))


def compiler_version(nvcc: str) -> str:
    """Major and minor version: kernels of another one take other registers."""
    said = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"release (\d+\.\d+)", said)
    return found[1] if found else "unknown"


def compile_kernel(nvcc: str, variant: Variant, cubin: Path = Path(os.devnull)) -> tuple[Usage, ...]:
    """Compile a variant; raises CalledProcessError with nvcc's words."""
    manifest = Manifest.load(variant.folder)
    macros = definitions(manifest, lanes=LANES, block=variant.block, precision=variant.precision, form=variant.form)
    command = [nvcc, f"-arch={variant.architecture}", "-std=c++17", "-cubin", "-Xptxas", "-v", "-I", str(INCLUDE)]
    command += [f"-D{name}={value}" for name, value in macros.items()]
    command += [*compiler_flags(macros), "-o", str(cubin), str(variant.folder / manifest.kernel)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return tuple(usages(done.stderr))


def variants() -> list[Variant]:
    """What is compiled: all kernels in blocks for all architectures, and in tiles for the last."""
    folders = sorted(path.parent for path in GENERATED.glob("*/cuda/manifest.json"))
    precisions: tuple[Precision, ...] = ("float32", "float64")
    found = [Variant(*item, precision) for item in _pairs(folders) for precision in precisions]
    return found + [Variant(folder, ARCHITECTURES[-1], item, "tile") for folder in folders for item in precisions]


def _pairs(folders: list[Path]) -> list[tuple[Path, str]]:
    return [(folder, architecture) for folder in folders for architecture in ARCHITECTURES]


def measure(nvcc: str, variant: Variant) -> Row:
    """Compile a variant and count; instructions are None where there is no nvdisasm."""
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        found = compile_kernel(nvcc, variant, cubin)
        function = FUNCTIONS[variant.form]
        counts = count_sass(disassemble(cubin))[function] if find_disassembler() else None
    used = next(usage for usage in found if usage.function == function)
    spilled = sum(usage.spilled_bytes for usage in found)
    return Row(*variant.name, used.registers, spilled, used.shared_bytes, *_instructions(counts, variant.form))


def _instructions(counts: FunctionCounts | None, form: Form) -> tuple[int | None, int | None, int | None]:
    """All that are written; those of a step; those of an edge of a block (0 where edges are read in the step).

    In the form `tile` steps, regions and edges are loops within each other, which are not told apart.
    """
    if counts is None:
        return None, None, None
    written = round(counts.written.total)
    if form == "tile" or counts.step is None:
        return written, None, None
    return written, round(counts.step.total), round(counts.edge.total) if counts.edge else 0


def main() -> int:
    """Compile them all, print what they take; 1 if one fails, spills, or takes more than the table says."""
    nvcc = find_nvcc()
    if nvcc is None:
        print("error: no nvcc; install the CUDA toolkit or put nvcc on the PATH", file=sys.stderr)
        return 1
    if not variants():
        print(f"error: no kernels in {GENERATED}", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [(variant, pool.submit(measure, nvcc, variant)) for variant in variants()]
    rows, failed = [], False
    for variant, job in jobs:
        try:
            rows.append(job.result())
        except subprocess.CalledProcessError as error:
            failed = True
            print(f"{' '.join(variant.name)}: does not compile\n{error.stderr}", flush=True)
    text = written_table(rows, compiler_version(nvcc))
    print(text, end="")
    if failed:
        return 1
    if os.environ.get("RATEMLX_UPDATE"):
        return _update(rows, text)
    complaints = compared(rows, compiler_version(nvcc), *read_table(TABLE.read_text(encoding="utf-8")))
    for complaint in complaints:
        print(f"error: {complaint}", file=sys.stderr)
    return int(bool(complaints))


def _update(rows: list[Row], text: str) -> int:
    if any(row.kernel is None for row in rows):
        print("error: no nvdisasm to count instructions with; pip install nvidia-cuda-nvdisasm", file=sys.stderr)
        return 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
