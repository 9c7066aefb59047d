"""Small sweeps with noise, how they are run on ranks, and what must hold of the folders that they leave."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired

import numpy as np

from ratemlx.store.digest import database_digest
from ratemlx.store.reading import open_database
from tests.house.sources import CHECKOUT
from tests.support.ranks import PYTHON, mpirun_command, rank_environment, ranks_below, without_remarks
from tests.survival.program import TELL_WHERE

LIMIT = 120.0
"""Seconds after which a run hangs."""


@dataclass(frozen=True)
class Sweep:
    """A sweep of the hand-written kernel over `drives` x 3 x 2 points, two conduction speeds among them."""

    connectome: Path
    drives: int = 4
    batch: int = 5
    samples: int = 40
    metrics: str = "mean_FC,regional_firing_rate"
    series: bool = False

    @property
    def size(self) -> int:
        """Instances."""
        return 6 * self.drives

    def words(self, folder: Path, *more: str) -> list[str]:
        """Arguments of the driver."""
        return [
            *("-cf", str(self.connectome), "-n", str(self.samples), "-dt", "0.25", "--threads", "1"),
            *("--sweep", f"drive={','.join(str(0.1 * (1 + index)) for index in range(self.drives))}"),
            *("--sweep", "sigma=log:0.001:0.1:3", "--sweep", "conduction_speed=2,5"),
            *("--metrics", self.metrics, *(("--keep", "all") if self.series else ())),
            *("--batch-size", str(self.batch), "-o", str(folder), *more),
        ]

    def of(self, **changes: object) -> Sweep:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]


def save_connectome(path: Path) -> Path:
    """Five regions with about half of the tracts."""
    generator = np.random.default_rng(1)
    weights = generator.uniform(0.2, 1.0, (5, 5)) * (generator.uniform(size=(5, 5)) < 0.6)
    lengths = generator.uniform(6.0, 40.0, (5, 5))
    np.savez(path, weights=weights, tract_lengths=lengths, region_labels=np.array(list("abcde")))
    return path


def start(ranks: int, words: list[str], more: Mapping[str, str] | None = None) -> Popen[str]:
    """Begin a run on ranks, or as a process alone if they are 0."""
    program = [PYTHON, "-m", "tests.survival.program", *words]
    command = mpirun_command(ranks, program) if ranks else program
    return Popen(command, stdout=PIPE, stderr=PIPE, text=True, cwd=CHECKOUT, env=rank_environment(more))


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


def ended(process: Popen[str], limit: float = LIMIT) -> Ended:
    """Wait for a run; one that hangs fails, and tells where its ranks are."""
    try:
        out, err = process.communicate(timeout=limit)
    except TimeoutExpired:
        ranks = processes_of(process)
        for pid in ranks.values():
            _kill(pid, TELL_WHERE)
        time.sleep(1.0)
        _end(process)
        out, err = process.communicate()
        raise AssertionError(f"ranks {ranks} hang:\n{out}\n{err}") from None
    except BaseException:
        _end(process)
        process.communicate()
        raise
    return Ended(process.returncode, out, without_remarks(err))


def _end(process: Popen[str]) -> None:
    for pid in processes_of(process).values():
        _kill(pid)
    process.kill()


def run(ranks: int, words: list[str], more: Mapping[str, str] | None = None) -> Ended:
    """A run from beginning to end."""
    return ended(start(ranks, words, more))


def processes_of(process: Popen[str]) -> dict[int, int]:
    """The processes of a run, by rank: those that its mpirun has started by now, or the process itself."""
    if process.args[0] == PYTHON:  # type: ignore[index]
        return {0: process.pid}
    return ranks_below(process.pid)


def wait_for_end(pids: Collection[int]) -> None:
    """Wait until none of some processes is there: ranks outlive an mpirun that was killed by a moment."""
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), f"the end of {pids}", 30.0)


def _kill(pid: int, number: int = 9) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], object], what: str, limit: float = 60.0) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about within {limit:g} s"
        time.sleep(0.01)


def check_whole(folder: Path, sweep: Sweep, expected: str, about: str = "") -> None:
    """The run is complete, equal to the expected one, without leftovers, and nothing is stored twice."""
    assert database_digest(folder) == expected, f"other results: {about}"
    with closing(open_database(folder)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM instances").fetchone()
        (of_shards,) = connection.execute("SELECT sum(n_instances) FROM shards").fetchone()
        shards = {name for (name,) in connection.execute("SELECT name FROM shards")}
    assert rows == of_shards == sweep.size, f"{of_shards} in shards, {rows} rows: {about}"
    assert shards == {path.name for path in (folder / "shards").glob("*.npz")}, about
    left = [path.name for path in folder.rglob(".*")] + [path.name for path in folder.glob("run.lock")]
    assert not left, f"left over: {left}; {about}"


@dataclass(frozen=True)
class Journal:
    """What the ranks wrote down of their batches, over all lives of a run."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes a run keep it."""
        return {"SURVIVAL_JOURNAL": str(self.path)}

    def totals(self) -> dict[str, dict[int, int]]:
        """Instances that were begun, and kept, by rank."""
        found: dict[str, dict[int, int]] = {"begun": {}, "kept": {}}
        text = self.path.read_text() if self.path.exists() else ""
        for rank, what, count in re.findall(r"^(\d+) (\w+) (\d+)$", text, re.MULTILINE):
            found[what][int(rank)] = found[what].get(int(rank), 0) + int(count)
        return found
