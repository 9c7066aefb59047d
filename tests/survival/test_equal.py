"""The same database from any number of ranks and any batches, begun anew, gone on with, enlarged or repaired."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ratemlx.store.digest import database_digest
from ratemlx.store.shards import shard_files
from tests.survival.runs import Journal, Sweep, check_whole, run

BATCHES = (1, 7, 16, 100)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7])
def test_ranks_and_batches(sweep: Sweep, expected: str, place: Path, ranks: int) -> None:
    """Also a sweep of fewer instances than ranks, and one of which nothing is left to do."""
    few = sweep.of(drives=1, batch=1)
    words: list[str] = []
    for batch in BATCHES:
        words += [*sweep.of(batch=batch).words(place / str(batch)), "--then"]
    words += [*few.words(place / "few"), "--then", *few.words(place / "few"), "-v"]
    found = run(ranks, words)
    assert found.code == 0, found.err
    for batch in BATCHES:
        check_whole(place / str(batch), sweep, expected, f"{ranks} ranks, batches of {batch}")
    with closing(sqlite3.connect(place / "few" / "results.sqlite")) as connection:
        rows = connection.execute("SELECT instance, mean_FC_x FROM instances ORDER BY instance").fetchall()
    assert [number for number, _ in rows] == list(range(6))
    assert len({value for _, value in rows}) == 6, "noise and delays differ"
    assert found.out.splitlines() == [f"results: {place / str(name)}" for name in (*BATCHES, "few", "few")]
    assert found.err.splitlines() == [f"{place / 'few'} holds this run already, complete"], "rank 0 alone speaks"


def test_series_are_the_same(sweep: Sweep, place: Path) -> None:
    kept = sweep.of(series=True, drives=2)
    words = [*kept.words(place / "one"), "--then", *kept.of(batch=3).words(place / "two")]
    assert run(3, words).code == 0
    assert run(0, kept.words(place / "alone")).code == 0
    import xarray as xr

    opened = [xr.load_dataset(place / name / "time_series.nc", decode_times=False) for name in ("one", "two", "alone")]
    xr.testing.assert_identical(opened[0], opened[2])
    xr.testing.assert_identical(opened[1], opened[2])
    assert opened[0]["time_series"].shape == (12, 2, 40, 5)


def test_another_number_of_ranks_goes_on_enlarges_and_repairs(sweep: Sweep, place: Path) -> None:
    journal, folder = Journal(place / "journal"), place / "run"
    small = sweep.of(drives=2)
    dies = run(2, small.words(folder), {**journal.environment, "SURVIVAL_DIE": "0:12"})
    assert dies.code != 0
    assert run(3, small.words(folder), journal.environment).code == 0
    kept = sum(journal.totals()["kept"].values())
    assert kept == small.size
    # The larger sweep numbers its points otherwise than at once: grids are compared by their points.
    assert run(2, sweep.words(folder), journal.environment).code == 0
    assert sum(journal.totals()["kept"].values()) == sweep.size
    assert _by_points(folder) == _by_points_of_whole(sweep, place / "at once")
    before = database_digest(folder)
    cut, flipped = shard_files(folder)[0], shard_files(folder)[-1]
    cut.write_bytes(cut.read_bytes()[:-7])
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 4
    flipped.write_bytes(content)
    lost = sum(_instances_of(folder, path.name) for path in (cut, flipped))
    repaired = run(2, sweep.words(folder), journal.environment)
    assert repaired.code == 0
    for path in (cut, flipped):
        moved = folder / "shards" / "damaged" / path.name
        assert f"warning: {path.name} was damaged and is now {moved}; what it held is computed again\n" in repaired.err
    assert sum(journal.totals()["kept"].values()) == sweep.size + lost, "only what they held"
    check_whole(folder, sweep, before)


def _instances_of(folder: Path, shard: str) -> int:
    with closing(sqlite3.connect(folder / "results.sqlite")) as connection:
        (count,) = connection.execute("SELECT n_instances FROM shards WHERE name = ?", (shard,)).fetchone()
    return int(count)


def _by_points(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "results.sqlite")) as connection:
        query = "SELECT drive, sigma, conduction_speed, seed, status, mean_FC_x, mean_FC_y FROM instances"
        return sorted(connection.execute(query).fetchall())


def _by_points_of_whole(sweep: Sweep, folder: Path) -> list[tuple[object, ...]]:
    assert run(0, sweep.words(folder)).code == 0
    return _by_points(folder)


@pytest.mark.parametrize(
    ("words", "fault", "message"),
    [
        (["--batch-size", "100000000"], "", "batches of 100,000,000 instances need more memory than there is"),
        (["--seed", "8"], "1:no compiler", "rank 1 of 2: the compiler is gone"),
        (["--seed", "8"], "0:no compiler", "rank 0 of 2: the compiler is gone"),
    ],
)
def test_restart_discards_nothing_where_the_new_run_cannot_begin(
    sweep: Sweep, place: Path, words: list[str], fault: str, message: str
) -> None:
    """Whichever rank it is that cannot."""
    folder = place / "run"
    assert run(0, sweep.of(series=True).words(folder)).code == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    environment = {"SURVIVAL_FAULT": fault} if fault else {}
    found = run(2, [*sweep.of(series=True).words(folder, "--restart", *words)], environment)
    assert found.code == 2
    assert message in found.err
    assert "discards" not in found.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_restart_says_what_it_discards(sweep: Sweep, expected: str, place: Path) -> None:
    folder = place / "run"
    assert run(0, [*sweep.words(folder), "--seed", "7"]).code == 0
    refused = run(2, sweep.words(folder))
    assert refused.code == 2
    assert refused.err.count("holds another run; what differs: seed (7 there, 42 now)") == 1, "once for all ranks"
    found = run(2, [*sweep.words(folder), "--restart"])
    assert found.code == 0
    (line,) = found.err.splitlines()
    begin, _, told = line.partition(f"{folder}: ")
    assert begin == "warning: --restart discards what is in "
    sizes = re.sub(r"\([\d.]+ (bytes|[KM]iB)\)", "(size)", told)
    files = "results.sqlite (size); parameters.csv (size); run.json (size)"
    assert sizes == f"6 finished batches of 1 sweep (size); {files}"
    check_whole(folder, sweep, expected)
    assert json.loads((folder / "run.json").read_text())["ranks"] == 2
