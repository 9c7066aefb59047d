"""Runs commands under a real mpirun, with a limit in time, so that a hang is a failure and not a wait."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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


def python_on_ranks(ranks: int, program: str, *, limit: float = LIMIT) -> list[str]:
    """Run a Python program on so many ranks and give what each printed; it must succeed.

    Each writes a file of its own, for a launcher may mix the lines of its ranks.
    """
    with TemporaryDirectory() as folder:
        own = f"import os, sys\nsys.stdout = open(f'{folder}/{{os.environ[\"PMI_RANK\"]}}', 'w')\n"
        done = mpirun(ranks, [sys.executable, "-c", own + program], limit=limit)
        assert done.returncode == 0, done.stderr
        return [(Path(folder) / str(rank)).read_text() for rank in range(ranks)]
