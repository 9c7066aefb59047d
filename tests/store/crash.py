"""Runs that are stopped: before their k-th operation on files, for every k, and by SIGKILL at random moments.

Run as a program with the name of a scenario, for it forks. Prints how often a run was stopped; raises if a run that
was stopped and begun again leaves other results than one that was not.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from ratemlx.store import files
from ratemlx.store.database import rebuild
from ratemlx.store.digest import database_digest
from ratemlx.store.points import Points
from ratemlx.store.reading import open_database
from ratemlx.store.shards import scan, shard_files
from tests.store.runs import STAMP, compute, grid, open_store, shard

BATCH = 7


def fresh(folder: Path) -> int:
    """A run from its beginning to its end."""
    store = open_store(folder)
    batches = compute(store, BATCH)
    store.finish()
    return batches


def enlarged(folder: Path) -> int:
    """A run over a run of fewer points; the points are a table."""
    points = Points("table", {"g": np.arange(16.0) % 5, "b_e": np.arange(16.0) // 4}, {})
    store = open_store(folder, points)
    batches = compute(store, BATCH)
    store.finish()
    return batches


def restarted(folder: Path) -> int:
    """A run in place of another one; begun again without --restart if that run is gone."""
    store = open_store(folder, restart=not (folder / "restarted").exists())
    (folder / "restarted").touch()
    batches = compute(store, BATCH)
    store.finish()
    return batches


def repaired(folder: Path) -> int:
    """A run over one with a damaged shard and no database."""
    return fresh(folder)


def without_series(folder: Path) -> int:
    """A run whose series are put into a file of their own at its end."""
    store = open_store(folder)
    batches = compute(store, BATCH, series=True)
    with (folder / "series").open("a") as stream:
        for item in store.shards():
            if item.series is not None:
                stream.write("".join(f"{number}\n" for number in item.instances))
    store.shed_series()
    store.finish()
    assert sorted(set(map(int, (folder / "series").read_text().split()))) == list(range(20))
    assert all(item.series is None for item in store.shards())
    return batches


def rebuilt(folder: Path) -> int:
    """A database made again from shards."""
    rebuild(folder)
    return 0


def _some(folder: Path) -> None:
    compute(open_store(folder, grid(2, 4)), BATCH)


def _done(folder: Path) -> None:
    fresh(folder)


def _broken(folder: Path) -> None:
    fresh(folder)
    path = shard_files(folder)[1]
    path.write_bytes(path.read_bytes()[:-1])
    (folder / "results.sqlite").unlink()


SCENARIOS: dict[str, tuple[Callable[[Path], int], Callable[[Path], None]]] = {
    "fresh": (fresh, lambda _: None),
    "enlarged": (enlarged, _some),
    "restarted": (restarted, _some),
    "repaired": (repaired, _broken),
    "without series": (without_series, lambda _: None),
    "rebuilt": (rebuilt, _done),
}


def memory() -> str | None:
    """A file system in memory, if there is one: what is tested is the order of operations, not the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main(name: str) -> None:
    run, prepare = SCENARIOS[name]
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        expected = _expected(run, prepare, Path(place) / "expected")
        stops = 0
        while _stopped_at(stops + 1, run, prepare, Path(place) / str(stops), expected):
            stops += 1
        kills = _killed_at_random(run, prepare, Path(place), expected) if name == "fresh" else 0
    print(f"{stops} stops, {kills} kills")


def _expected(run: Callable[[Path], int], prepare: Callable[[Path], None], folder: Path) -> str:
    folder.mkdir()
    prepare(folder)
    run(folder)
    return database_digest(folder)


def _stopped_at(
    stop: int, run: Callable[[Path], int], prepare: Callable[[Path], None], folder: Path, expected: str
) -> bool:
    """Stop a run before an operation and begin again; False if it has not that many operations."""
    folder.mkdir()
    prepare(folder)
    if _in_child(lambda: _run_until(stop, run, folder)) == 0:
        return False
    left = _readable_rows(folder)
    run(folder)
    _check(folder, expected, left)
    return True


def _killed_at_random(
    run: Callable[[Path], int], prepare: Callable[[Path], None], place: Path, expected: str, rounds: int = 15
) -> int:
    """Kill runs with SIGKILL, ever later, until one gets to its end, some rounds of it; gives the number of kills."""
    chosen = random.Random(7)
    kills = 0
    for number in range(rounds):
        folder = place / f"kill-{number}"
        folder.mkdir()
        prepare(folder)
        longest = 0.0
        while True:
            longest += 0.02
            if _in_child(lambda folder=folder: run(folder), kill_after=chosen.uniform(0.0, longest)) == 0:  # type: ignore[misc]
                break
            kills += 1
            _readable_rows(folder)
        _check(folder, expected, 0)
    return kills


def _run_until(stop: int, run: Callable[[Path], int], folder: Path) -> None:
    count = 0

    def exit_there(_operation: str, _path: Path) -> None:
        nonlocal count
        count += 1
        if count == stop:
            os._exit(9)

    files.about_to = exit_there
    run(folder)


def _in_child(action: Callable[[], object], kill_after: float | None = None) -> int:
    """Run in a process of its own, killed after some seconds; gives how it ended, 0 if well."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 1:
        raise SystemExit("a run failed by itself")
    return status


def _readable_rows(folder: Path) -> int:
    """Rows of the database that a stopped process left; it can be read, if it is there."""
    if not (folder / "results.sqlite").exists():
        return 0
    with closing(open_database(folder)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 5
        (rows,) = connection.execute("SELECT count(*) FROM instances").fetchone()
        (committed,) = connection.execute("SELECT coalesce(sum(n_instances), 0) FROM shards").fetchone()
    assert rows == committed, f"{rows} rows of {committed} in whole shards"
    return int(rows)


def _check(folder: Path, expected: str, at_least: int) -> None:
    assert database_digest(folder) == expected, "other results"
    with closing(open_database(folder)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM instances").fetchone()
        (known,) = connection.execute("SELECT sum(n_instances) FROM shards").fetchone()
    found = np.concatenate([item.instances for item in scan(folder, STAMP).shards])
    assert len(found) == len(np.unique(found)) == rows == known, "something is stored twice"
    assert rows >= at_least
    assert list(folder.rglob(".*.part")) == [], "a leftover"
    assert shard(found[:1]).instances[0] == found[0]


if __name__ == "__main__":
    main(sys.argv[1])
