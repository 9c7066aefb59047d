"""nvcc, the CUDA toolkit's compiler: finding it, and making cubins with it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ratemlx.errors import DeviceError
from ratemlx.resources import INCLUDE
from ratemlx.runtime.devices.compiled import TIMEOUT, run_command
from ratemlx.runtime.devices.cuda_compile import MISSING_HINT, CompilationFailed, DeviceCode

PROBE_SECONDS = 30
REPORTING = ("-Xptxas", "-v")
"""Has ptxas tell registers and spills; the code is the same."""
HOMES = ("CUDA_HOME", "CUDA_PATH", "CUDA_ROOT")
DEFAULT_HOME = "/usr/local/cuda"
FLAG_VARIABLES = ("NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS", "NVCC_CCBIN")
"""Variables that nvcc takes further flags from by itself."""


@dataclass(frozen=True)
class Nvcc:
    """An nvcc of the toolkit `release`."""

    command: str
    release: str

    @property
    def version(self) -> str:
        """Its name and version."""
        return f"nvcc-{self.release}"

    @property
    def settings(self) -> tuple[str, ...]:
        """Flags from the environment."""
        return tuple(f"{name}={value}" for name in FLAG_VARIABLES if (value := os.environ.get(name)))

    def compile(self, source: Path, options: Sequence[str]) -> DeviceCode:
        """The device code of a source; raises CompilationFailed."""
        with tempfile.TemporaryDirectory(prefix="ratemlx-") as folder:
            cubin = Path(folder) / "kernel.cubin"
            command = (self.command, *options, *REPORTING, "-cubin", f"-I{INCLUDE}", "-o", str(cubin), str(source))
            done = run_command(command, TIMEOUT, MISSING_HINT)
            if done.returncode or not cubin.exists():
                raise CompilationFailed(done.stderr or done.stdout)
            return DeviceCode(cubin.read_bytes(), done.stderr)


def find_nvcc() -> Nvcc:
    """$NVCC, or nvcc of the PATH, of $CUDA_HOME or of the usual place; raises DeviceError if there is none."""
    asked = os.environ.get("NVCC", "").strip()
    if asked:
        return _probe(asked)
    homes = [*(os.environ.get(name) for name in HOMES), DEFAULT_HOME]
    places = [None, *(str(Path(home) / "bin") for home in homes if home)]
    found = next((path for place in places if (path := shutil.which("nvcc", path=place))), None)
    if found is None:
        raise DeviceError("there is no nvcc on the PATH or in $CUDA_HOME", MISSING_HINT)
    return _probe(found)


@cache
def _probe(command: str) -> Nvcc:
    if shutil.which(command) is None:
        raise DeviceError(f"there is no {command}", MISSING_HINT)
    said = run_command((command, "--version"), PROBE_SECONDS, MISSING_HINT).stdout
    release = re.search(r"\bV(\d+(?:\.\d+)+)", said)
    if release is None:
        raise DeviceError(f"{command} does not say its version", MISSING_HINT)
    return Nvcc(command, release[1])
