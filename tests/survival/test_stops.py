"""SIGTERM, SIGUSR1 and --max-time, to one rank or to all, whatever they are at: code 75 within 10 s, and it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from subprocess import Popen

import pytest

from tests.house.sources import CHECKOUT
from tests.support.ranks import PYTHON, passes_on
from tests.survival.runs import (
    Ended,
    Journal,
    Sweep,
    check_whole,
    ended,
    processes_of,
    run,
    start,
    wait_for_end,
    wait_until,
)

IN_TIME = 10.0
LONG = 3_000_000


def stop(process: Popen[str], name: str, target: int | None) -> Ended:
    """Send a signal to one rank, or to mpirun (None); gives how it ended, in time."""
    ranks = processes_of(process)
    os.kill(process.pid if target is None else ranks[target], getattr(signal, name))
    sent = time.monotonic()
    found = ended(process)
    if is_passed_on(name, target):
        assert found.code == (130 if name == "SIGINT" else 75), found.err
    else:
        assert found.code != 0
        wait_for_end(ranks.values())
    assert time.monotonic() - sent < IN_TIME
    return found


def is_passed_on(name: str, target: int | None) -> bool:
    """Whether ranks get the signal and have the time to stop."""
    return target is not None or passes_on(name)


@pytest.mark.parametrize(
    ("name", "target"),
    [("SIGTERM", 1), ("SIGUSR1", 0), ("SIGTERM", None), ("SIGUSR1", None), ("SIGINT", 0), ("SIGINT", 1)],
)
def test_while_it_computes(sweep: Sweep, place: Path, name: str, target: int | None) -> None:
    """What is finished is kept: of a first sweep here, which a larger one goes on from."""
    folder, journal = place / "run", Journal(place / "journal")
    process = start(2, sweep.of(samples=LONG).words(folder), journal.environment)
    wait_until(lambda: len(journal.totals()["begun"]) == 2, "batches of both ranks")
    found = stop(process, name, target)
    why = "interrupted" if name == "SIGINT" else f"stopped by {name}"
    told = [f"{why}; finished batches are in {folder}, the same command goes on"]
    assert found.out == ""
    if is_passed_on(name, target):
        assert found.err.splitlines() == told, "rank 0 alone speaks, and says why"
        assert not (folder / "run.lock").exists()


@pytest.mark.parametrize(("name", "target"), [("SIGUSR1", 1), ("SIGTERM", None)])
def test_while_it_compiles(sweep: Sweep, place: Path, name: str, target: int | None) -> None:
    compiler = place / "slow-compiler"
    # What is asked of a compiler before it compiles is answered; a child of its own holds its output open.
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *.cpp*) touch {place}/compiling; sleep 60;; esac\nexec g++ "$@"\n')
    compiler.chmod(0o755)
    own = {"CXX": str(compiler), "RATEMLX_CACHE_DIR": str(place / "cache")}
    process = start(2, sweep.words(place / "run"), own)
    wait_until((place / "compiling").exists, "compiling")
    stop(process, name, target)


def test_before_it_computes(sweep: Sweep, place: Path) -> None:
    """One rank is stopped while it waits for another, which will be sharing out the work by the time it is heard."""
    folder, journal = place / "run", Journal(place / "journal")
    words = sweep.of(samples=LONG).words(folder)
    process = start(2, words, {**journal.environment, "SURVIVAL_FAULT": "0:slow begin"})
    wait_until((place / "journal.beginning").exists, "the beginning on rank 0")
    time.sleep(0.5)
    stop(process, "SIGTERM", 1)


@pytest.mark.parametrize(
    ("name", "target", "fault", "threads"),
    [
        ("SIGTERM", 1, "slow analysis", 1),
        ("SIGTERM", None, "slow analysis", 1),
        ("SIGUSR1", None, "slow analysis", 1),
        ("SIGTERM", 1, "slow metric", 2),
    ],
)
def test_while_it_analyses(
    sweep: Sweep, expected: str, place: Path, name: str, target: int | None, fault: str, threads: int
) -> None:
    folder, journal = place / "run", Journal(place / "journal")
    words = sweep.words(folder, "--threads", str(threads))
    process = start(2, words, {**journal.environment, "SURVIVAL_FAULT": f":{fault}"})
    wait_until(lambda: len(list(place.glob("journal.analysing*"))) == 2, "analysis on both ranks")
    stop(process, name, target)
    assert run(3, sweep.words(folder), journal.environment).code == 0
    check_whole(folder, sweep, expected)


def test_between_two_batches(sweep: Sweep, expected: str, place: Path) -> None:
    """Nothing of what was kept is computed again, and at most a batch of each rank is."""
    many = sweep.of(batch=1)
    folder, journal = place / "run", Journal(place / "journal")
    process = start(2, many.words(folder), journal.environment)
    wait_until(lambda: sum(journal.totals()["kept"].values()) >= 3, "three batches")
    ranks = processes_of(process)
    if ranks and process.poll() is None:
        os.kill(ranks[max(ranks)], signal.SIGTERM)
    first = ended(process)
    assert first.code in (0, 75), first.err
    assert run(3, many.words(folder), journal.environment).code == 0
    totals = journal.totals()
    assert sum(totals["kept"].values()) == many.size
    assert sum(totals["begun"].values()) <= many.size + 2
    check_whole(folder, many, expected)


def test_a_rank_that_waits_for_others_can_be_stopped(sweep: Sweep, place: Path) -> None:
    """A sweep of one batch leaves nothing to the other rank."""
    folder, journal = place / "run", Journal(place / "journal")
    single = sweep.of(samples=LONG, batch=100)
    words = ["conduction_speed=2" if word == "conduction_speed=2,5" else word for word in single.words(folder)]
    process = start(2, words, journal.environment)
    wait_until(lambda: journal.totals()["begun"], "the batch")
    time.sleep(0.3)
    idle = next(rank for rank in (0, 1) if rank not in journal.totals()["begun"])
    found = stop(process, "SIGTERM", idle)
    assert found.err.startswith("stopped by SIGTERM;")


@pytest.mark.parametrize("ranks", [0, 2])
def test_max_time(sweep: Sweep, place: Path, ranks: int) -> None:
    folder = place / "run"
    started = time.monotonic()
    found = run(ranks, [*sweep.of(samples=LONG).words(folder), "--max-time", "0:00:04"])
    assert found.code == 75, found.err
    assert time.monotonic() - started < 4 + IN_TIME
    assert found.err.startswith("stopped by the time limit; finished batches are in")
    assert not (folder / "run.lock").exists()


def test_while_it_imports(sweep: Sweep, place: Path, tmp_path: Path) -> None:
    """The driver of a generated folder is ready for signals before it imports what takes time."""
    from ratemlx.resources import templates

    folder = tmp_path / "generated"
    folder.mkdir()
    linear = CHECKOUT / "tests" / "runtime" / "kernels" / "linear"
    for name in ("manifest.json", "linear.cpp"):
        (folder / name).write_bytes((linear / name).read_bytes())
    text = (templates() / "driver" / "driver.py.mako").read_text()
    (folder / "driver.py").write_text(text.replace("${manifest.model}", "linear"))
    words = [PYTHON, str(folder / "driver.py"), *sweep.of(samples=LONG).words(place / "run")]
    order = "import sys, ratemlx.runtime.driver; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([PYTHON, "-c", order], check=False).returncode == 0, "handlers come first"
    for delay in (0.0, 0.05, 0.15, 0.3):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda process=process: _catches(process.pid, signal.SIGTERM), "handlers")  # type: ignore[misc]
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        found = ended(process)
        assert found.code == 75, found.err
        assert "Traceback" not in found.err


def _catches(pid: int, number: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False
