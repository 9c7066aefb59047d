"""Runs commands under a real mpirun, of MPICH or Open MPI, with a limit in time, so that a hang is no wait.

It is the mpirun beside the Python that runs the tests, or the one (with its options) that RATEMLX_TEST_MPIRUN names;
RATEMLX_TEST_PYTHON names another Python for the ranks.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ratemlx.runtime.launch import Launch, find_launch

LIMIT = 120.0
PYTHON = os.environ.get("RATEMLX_TEST_PYTHON", sys.executable)
"""The Python of ranks."""
WILLING = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_osc": "^ucx",
}
"""Makes Open MPI (4, and 5 with its PRRTE) start ranks for root, and more of them than there are cores.

Its wheel is built with UCX, and says on every computer without a network that UCX makes no windows there.
"""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Threads of BLAS would only wait for each other here."""


def mpirun_command(ranks: int, command: Sequence[str]) -> list[str]:
    """The command line that starts a command on so many ranks; its environment must have `rank_environment`."""
    return [*_launcher(), "-n", str(ranks), *command]


def _launcher() -> list[str]:
    if "RATEMLX_TEST_MPIRUN" in os.environ:
        return shlex.split(os.environ["RATEMLX_TEST_MPIRUN"])
    found = shutil.which("mpirun", path=f"{Path(PYTHON).parent}:{os.environ.get('PATH', '')}")
    assert found is not None, "mpirun is missing: pip install mpich"
    return [found]


@lru_cache
def is_open_mpi() -> bool:
    """Whether ranks are started by Open MPI."""
    said = subprocess.run(
        [*_launcher(), "--version"], capture_output=True, text=True, env=rank_environment(), check=True
    )
    return "Open MPI" in said.stdout


def passes_on(signal_name: str) -> bool:
    """Whether mpirun only passes this signal on to its ranks.

    Open MPI's kills them when it is to end itself: SIGTERM, and SIGKILL a quarter of a second later (measured with
    5.0.11), which nothing can be set to delay.
    """
    return not is_open_mpi() or signal_name not in ("SIGTERM", "SIGINT")


def without_remarks(text: str) -> str:
    """What ranks printed, without what Open MPI remarks itself, as of every exit code.

    Its remarks are between lines of dashes, or lines that begin with [host:process].
    """
    return re.sub(r"^(?:-{60,}\n(?:.*\n)*?-{60,}|\[\S+:\d+\] .*)\n", "", text, flags=re.MULTILINE)


def rank_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for an mpirun and its ranks: that of the tests, and some more."""
    return {**WILLING, **ONE_THREAD, **os.environ, **(more or {})}


def mpirun(
    ranks: int, command: Sequence[str], *, limit: float = LIMIT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command on so many ranks and give its output; raises TimeoutExpired after `limit` seconds."""
    return subprocess.run(
        mpirun_command(ranks, command),
        capture_output=True,
        text=True,
        timeout=limit,
        env=rank_environment(environment),
        check=False,
    )


OWN_FILE = """
import os, sys
from ratemlx.runtime.launch import find_launch
sys.stdout = open(f"FOLDER/{find_launch(os.environ).rank}", "w")
"""


def python_on_ranks(ranks: int, program: str, *, limit: float = LIMIT) -> list[str]:
    """Run a Python program on so many ranks and give what each printed; it must succeed.

    Each writes a file of its own, for a launcher may mix the lines of its ranks.
    """
    with TemporaryDirectory() as folder:
        done = mpirun(ranks, [PYTHON, "-c", OWN_FILE.replace("FOLDER", folder) + program], limit=limit)
        assert done.returncode == 0, done.stderr
        return [(Path(folder) / str(rank)).read_text() for rank in range(ranks)]


def ranks_below(pid: int) -> dict[int, int]:
    """The processes of the ranks that a launcher has started by now, by rank, however deep below it they are.

    Ranks are children of mpirun with Open MPI, and of its proxies with MPICH; what they start themselves is no rank.
    """
    found: dict[int, int] = {}
    for child in _children(pid):
        launch = _launch_of(child)
        found |= ranks_below(child) if launch is None else {launch.rank: child}
    return dict(sorted(found.items()))


def _children(pid: int) -> list[int]:
    try:
        return [int(item) for item in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _launch_of(pid: int) -> Launch | None:
    """How a process was launched by the environment that it began with; None if it is gone or a launcher itself."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return find_launch(dict(item.decode(errors="replace").split("=", 1) for item in variables if b"=" in item))
