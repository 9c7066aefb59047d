"""Runs commands under a real mpirun, with a limit in time, so that a hang is a failure and not a wait."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LIMIT = 120.0


def mpirun_command(ranks: int, command: Sequence[str]) -> list[str]:
    """The command line that starts a command on so many ranks."""
    found = shutil.which("mpirun", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    assert found is not None, "mpirun is missing: pip install mpich"
    return [found, "-n", str(ranks), *command]


def mpirun(
    ranks: int, command: Sequence[str], *, limit: float = LIMIT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command on so many ranks and give its output; raises TimeoutExpired after `limit` seconds."""
    return subprocess.run(
        mpirun_command(ranks, command),
        capture_output=True,
        text=True,
        timeout=limit,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        check=False,
    )


def python_on_ranks(ranks: int, program: str, *, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """Run a Python program on so many ranks."""
    return mpirun(ranks, [sys.executable, "-c", program], limit=limit)
