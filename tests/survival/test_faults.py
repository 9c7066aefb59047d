"""What fails on one rank ends all of them, with one message and a code, and without a wait."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ranks import PYTHON, mpirun
from tests.survival.runs import Sweep, check_whole, ended, processes_of, run, start, wait_until


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("1:no memory", "rank 1 of 2: the device has no memory left\n  hint: use smaller batches\n"),
        ("1:no device", "rank 1 of 2: there is no GPU 1\n  hint: ask for one GPU per task\n"),
        (":no memory", "rank [01] of 2: the device has no memory left\n"),
    ],
)
def test_a_device_that_fails(sweep: Sweep, place: Path, fault: str, message: str) -> None:
    folder = place / "run"
    found = run(2, sweep.of(samples=2000).words(folder), {"SURVIVAL_FAULT": fault})
    assert found.code == 2, found.err
    assert len(re.findall(f"error: {message}", found.err)) == 1
    assert found.out == ""
    assert not (folder / "run.lock").exists()


def test_a_bug_on_one_rank(sweep: Sweep, expected: str, place: Path) -> None:
    found = run(3, sweep.words(place / "run"), {"SURVIVAL_FAULT": "2:bug"})
    assert found.code == 70, found.err
    assert found.err.count("ZeroDivisionError: a fault of ours") == 1
    assert "rank 2 of 3 ends the run" in found.err
    assert run(2, sweep.words(place / "run")).code == 0
    check_whole(place / "run", sweep, expected)


def test_diverged_instances_are_results(sweep: Sweep, place: Path) -> None:
    words = [*sweep.words(place / "run"), "--set", "coupling=1e30"]
    found = run(2, words)
    assert found.code == 0
    assert found.err.count("24 of 24 instances diverged") == 1, found.err


def test_mistakes_are_told_once(sweep: Sweep, place: Path) -> None:
    found = run(3, [*sweep.words(place / "run"), "--set", "nothing=1"])
    assert found.code == 2
    assert found.err.count("error:") == 1
    assert "nothing" in found.err


def test_several_ranks_need_a_folder(sweep: Sweep) -> None:
    found = run(2, ["-n", "10", "-cf", str(sweep.connectome)])
    assert found.code == 2
    assert found.err.count("several processes need a folder for their results\n  hint: add -o DIR") == 1


def test_tasks_without_mpi_are_refused(sweep: Sweep, place: Path) -> None:
    """As after srun without --mpi: four tasks that do not know each other."""
    said = []
    for rank in (0, 1):
        launched = {"SLURM_PROCID": str(rank), "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_ID": "0"}
        found = run(0, sweep.words(place / "run"), launched)
        assert found.code == 2
        said.append(found.err)
    assert said[0].startswith("error: srun started 4 tasks, but MPI sees only one: each would run the whole sweep\n")
    assert said[1] == "", "rank 0 speaks for all"
    assert not (place / "run").exists()


def test_a_second_run_on_the_same_folder(sweep: Sweep, place: Path) -> None:
    folder = place / "run"
    first = start(2, sweep.of(samples=3_000_000).words(folder))
    try:
        wait_until(lambda: (folder / "parameters.csv").exists(), "the run")
        for ranks in (0, 2):
            second = run(ranks, sweep.words(folder))
            assert second.code == 2
            assert second.err.count(f"another run is writing to {folder} (process ") == 1
    finally:
        os.kill(processes_of(first)[1], signal.SIGTERM)
        found = ended(first)
    assert found.code == 75
    assert not (folder / "run.lock").exists()


def test_batches_of_other_computers_that_are_listed_late(sweep: Sweep, expected: str, place: Path) -> None:
    """Rank 0 does not take them for missing."""
    found = run(2, sweep.words(place / "run"), {"SURVIVAL_FAULT": "0:late listing"})
    assert found.code == 0, found.err
    assert any("-1-" in path.name for path in (place / "run" / "shards").glob("*.npz"))
    check_whole(place / "run", sweep, expected)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(sweep: Sweep, small_disk: Path, place: Path) -> None:
    """Nothing is lost, and with more room the same command goes on, with other ranks."""
    large = sweep.of(drives=500, batch=100, samples=20)
    found = run(2, large.words(small_disk))
    assert found.code == 2, found.err
    assert "the run writes up to" in found.err
    assert not list(small_disk.rglob("*.npz")), "it is refused before anything is computed"
    found = run(2, large.words(small_disk), {"SURVIVAL_FAULT": ":disk looks free"})
    assert found.code == 2, found.err
    assert "No space left on device" in found.err or "disk is full" in found.err
    assert found.err.count("error:") == 1
    assert "kept" in found.err
    shards = {path.name for path in (small_disk / "shards").glob("*.npz")}
    assert shards
    assert not list(small_disk.rglob(".*.part"))
    subprocess.run(["mount", "-o", "remount,size=32M", small_disk], check=True)
    assert run(3, large.words(small_disk)).code == 0
    assert shards <= {path.name for path in (small_disk / "shards").glob("*.npz")}
    assert run(0, large.of(batch=1000).words(place / "whole")).code == 0
    from ratemlx.store.digest import database_digest

    check_whole(small_disk, large, database_digest(place / "whole"))


@pytest.mark.parametrize("rank", [0, 1])
def test_a_fault_of_one_rank_is_told_where_others_hear_of_it_at_work(sweep: Sweep, place: Path, rank: int) -> None:
    """They are stopped in the middle of a batch, and that is not what ended the run."""
    long = sweep.of(samples=400_000, batch=4)
    found = run(2, long.words(place / "run"), {"SURVIVAL_FAULT": f"{rank}:late full disk"})
    assert found.code == 2, found.err
    assert found.err.count("error:") == 1
    assert f"rank {rank} of 2: a batch cannot be kept: No space left on device" in found.err


def test_the_driver_and_the_command_do_the_same(sweep: Sweep, expected: str, place: Path) -> None:
    """`ratemlx run` on ranks, with a generated folder."""
    words = sweep.words(place / "run")
    linear = Path(__file__).parents[1] / "runtime" / "kernels" / "linear"
    arguments = _as_command(words)
    command = [PYTHON, "-m", "ratemlx", "run", str(linear), *arguments]
    done = mpirun(2, command, environment={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    check_whole(place / "run", sweep, expected)
    assert done.stdout.count("results:") == 1


def _as_command(words: list[str]) -> list[str]:
    """Arguments of the driver as `ratemlx run` calls them."""
    renamed = {"-cf": "--connectome", "-n": "--duration", "-dt": "--dt"}
    return [renamed.get(word, word) for word in words]
