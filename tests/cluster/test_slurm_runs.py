"""Real sweeps in a real Slurm: jobs write what one process writes here, also when they are stopped in between."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from ratemlx.cli import main
from tests.support.slurm import Slurm, until

pytestmark = pytest.mark.timeout(120)

MODEL = ("montbrio", "--sweep", "eta=-6:-4:40", "--connectome", "tvb:66", "--duration", "5000")
RUN = (*MODEL, "--metrics", "mean_FC", "--batch-size", "4", "--threads", "1")
JOB = ("--site", "here.yaml", "--time", "5", "--venv", sys.prefix)
SITE = """\
mpi: pmi2
cpus_per_task: 1
# The addresses that MPICH's other network layer (UCX) exchanges are too long for what Slurm 22.05 reads at once.
environment: {MPIR_CVAR_CH4_NETMOD: ofi}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.yaml").write_text(SITE, encoding="utf-8")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """The instances of the sweep as one process here computes them."""
    folder = tmp_path_factory.mktemp("here") / "sweep"
    assert main(["run", *RUN, "-o", str(folder)]) == 0
    return instances(folder)


def instances(folder: Path) -> list[tuple[Any, ...]]:
    """All rows of a run's database: parameters, status and metrics."""
    connection = sqlite3.connect(f"{(folder / 'results.sqlite').absolute().as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT * FROM instances ORDER BY instance").fetchall()
    finally:
        connection.close()


def submit(cluster: Slurm, *options: str) -> int:
    """The number of the job whose script `ratemlx slurm` writes."""
    assert main(["slurm", *RUN, "-o", "sweep", *JOB, *options]) == 0
    return cluster.submit(Path("montbrio.slurm").absolute())


def shards() -> dict[str, int]:
    """The shards that are there, and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in Path("sweep", "shards").glob("*.npz")}


def said() -> str:
    """What all jobs have printed."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path.cwd().glob("*.out")))


def test_a_requeued_job_of_two_nodes_computes_the_rest(cluster: Slurm, expected: list[tuple[Any, ...]]) -> None:
    job = submit(cluster, "--nodes", "2", "--requeue")
    for _ in until(60):
        if shards():
            break
    before = shards()
    cluster.run("scancel", "--batch", "--signal=USR1", str(job))
    assert cluster.wait(job, 100) == ["COMPLETED"], said()
    assert cluster.state(job)["Restarts"] == "1", said()
    assert "goes back to the queue" in said()
    assert before.items() <= shards().items()
    # Compiled ahead by one task, and found by it when the job was started again; ranks have nothing to compile.
    assert said().count("montbrio for blocks of 16") == 2
    assert said().count("was there") >= 2
    assert "compiled montbrio" not in said()
    assert instances(Path("sweep")) == expected
    assert len(expected) == 40


def test_an_array_merged_is_the_whole_sweep(cluster: Slurm, expected: list[tuple[Any, ...]]) -> None:
    array = submit(cluster, "--array", "2")
    merge = cluster.submit(Path("montbrio-merge.slurm").absolute(), f"--dependency=afterok:{array}")
    assert cluster.wait(merge, 100) == ["COMPLETED"], said()
    assert cluster.wait(array) == ["COMPLETED"] * 2
    assert instances(Path("sweep")) == expected
