"""Results of millions of instances: read when they are asked for, the same as those of few, in little memory."""

from __future__ import annotations

import sqlite3
import time
import tracemalloc
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ratemlx
from ratemlx.bench.store import Work
from ratemlx.fitness import rank
from ratemlx.runtime import Result, open_folder, stored_values
from ratemlx.runtime import result as result_module
from ratemlx.runtime.arrays import Floats, Int64s
from ratemlx.runtime.open_folder import read_result
from ratemlx.runtime.places import Places
from ratemlx.runtime.report import best_table, diverged_remark, result_table
from ratemlx.runtime.result import read_run_file, write_parameters
from ratemlx.runtime.stored_values import read_best, read_numbers, read_steps
from ratemlx.store import Points, RunStore
from ratemlx.store.layout import DATABASE_FILE
from tests.store.conftest import tmp_path as tmp_path
from tests.store.runs import CATALOGUE, STAMP, grid, shard

OBSERVED = {"model": "adex", "samples": 4, "period": 1.0, "exposures": {"E": "kHz"}}


def made(folder: Path, points: Points, batch: int = 7) -> RunStore:
    """A finished run of these points, of made-up results; one that is there is enlarged."""
    store = RunStore.open(folder, STAMP, CATALOGUE, points, OBSERVED)
    pending = store.pending()
    for start in range(0, len(pending), batch):
        store.keep(shard(pending[start : start + batch]))
    store.finish()
    return store


def large(patch: pytest.MonkeyPatch) -> None:
    """Take every run for a large one, whose pieces are small."""
    patch.setattr(open_folder, "MAX_VALUES", 0)
    patch.setattr(open_folder, "PIECE", 3)
    patch.setattr(result_module, "MAX_TEXTS", 0)
    patch.setattr(stored_values, "PIECE", 8)
    patch.setattr(stored_values, "RANKED_AT_ONCE", 2)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, Result]:
    """One run as a small one and as a large one."""
    made(tmp_path, grid())
    small = ratemlx.open_result(tmp_path)
    large(monkeypatch)
    return small, ratemlx.open_result(tmp_path)


def in_memory(values: xr.Variable) -> bool:
    return bool(values._in_memory)


def test_a_large_result_is_the_same(both: tuple[Result, Result]) -> None:
    small, late = both
    assert all(in_memory(item.variable) for item in small.metrics.data_vars.values())
    assert not any(in_memory(item.variable) for item in late.metrics.data_vars.values())
    assert not in_memory(late.status.variable)
    for name in ("metrics", "parameters", "status", "best", "fc"):
        xr.testing.assert_identical(getattr(late, name), getattr(small, name))
    assert repr(late) == repr(small)
    np.testing.assert_array_equal(late.diverged, [6, 13])


def test_a_large_result_is_told_without_reading_it(both: tuple[Result, Result]) -> None:
    small, late = both
    for tell in (result_table, best_table, diverged_remark):
        assert tell(late) == tell(small)
    assert len(best_table(late)) == 11
    assert not any(in_memory(item.variable) for item in late.metrics.data_vars.values())


@pytest.mark.parametrize(
    "key",
    [3, slice(2, 9, 3), slice(None, None, -4), [7, 7, 1], (2, 1), (slice(4), 2), ([5, 1], [2, 0]), (6, [1, 1])],
)
def test_any_part_of_it_is_read(both: tuple[Result, Result], key: object) -> None:
    small, late = both
    if not isinstance(key, tuple):
        np.testing.assert_array_equal(late.metrics["fitness"][key], small.metrics["fitness"][key])
        np.testing.assert_array_equal(late.status[key], small.status[key])
    np.testing.assert_array_equal(late.metrics["mean_rate_E"][key], small.metrics["mean_rate_E"][key])
    assert not in_memory(late.metrics["mean_rate_E"].variable)


def test_what_was_read_whole_is_read_once(both: tuple[Result, Result], monkeypatch: pytest.MonkeyPatch) -> None:
    _, late = both
    first = late.metrics["fitness"].values
    monkeypatch.setattr(stored_values, "reading", None)
    np.testing.assert_array_equal(late.metrics["fitness"].values, first)
    late.metrics["fitness"][0] = 5.0
    assert late.metrics["fitness"].values[0] == 5.0


@pytest.mark.parametrize("is_large", [False, True])
def test_an_enlarged_run_with_aliases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_large: bool) -> None:
    """Points that an earlier sweep has, that stand twice, in an order of their own: each has its instance's values."""
    made(tmp_path, grid())
    old = grid().columns(np.array([13, 2, 13, 6]))
    new = {"g": [0.125, 0.125, 0.125], "b_e": [1.0, 2.0, 1.0]}
    store = made(tmp_path, Points("table", {name: np.append(old[name], new[name]) for name in new}, {}))
    numbers = store.registration.instances
    np.testing.assert_array_equal(numbers, [13, 2, 13, 6, 24, 25, 24])
    if is_large:
        large(monkeypatch)
    found = read_result(tmp_path, read_run_file(tmp_path), numbers)
    np.testing.assert_array_equal(found.status.diverged_at, [1013, -1, 1013, 1006, -1, -1, -1])
    np.testing.assert_array_equal(found.metrics["mean_FC_E"], [np.nan, 0.2, np.nan, np.nan, 2.4, 2.5, 2.4])
    np.testing.assert_array_equal(found.metrics["mean_rate_E"][:, 1], numbers + 0.1)
    np.testing.assert_array_equal(found.parameters["b_e"][4:], new["b_e"])
    np.testing.assert_array_equal(found.ranked(4).instances, [2, 25, 24])
    assert found.best is not None
    np.testing.assert_array_equal(found.best["b_e"], [80.0, 2.0, 1.0])
    np.testing.assert_array_equal(read_numbers(tmp_path), [*range(20), 24, 25])
    np.testing.assert_array_equal(ratemlx.open_result(tmp_path).info.instances, [*range(20), 24, 25])


def test_steps_of_any_instances(tmp_path: Path) -> None:
    made(tmp_path, grid(20, 20), batch=400)
    asked = np.random.default_rng(1).integers(0, 500, 1000)
    wanted = np.where((asked % 7 == 6) & (asked < 400), 1000 + asked, -1)
    np.testing.assert_array_equal(read_steps(tmp_path, asked), wanted)
    assert len(read_steps(tmp_path, asked[:0])) == 0


def test_the_best_are_those_of_a_ranking(tmp_path: Path) -> None:
    """Equal values in the order of their numbers; what has no value is nowhere."""
    made(tmp_path, grid(10, 20), batch=200)
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection, connection:
        connection.execute("UPDATE instances SET fitness = round(fitness, 1)")
        query = "SELECT instance, fitness FROM instances WHERE fitness IS NOT NULL ORDER BY fitness DESC, instance"
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        rows = connection.execute("SELECT instance, fitness FROM instances ORDER BY instance").fetchall()
    assert "INDEX ranking" in plan[0]
    table = np.array(rows, dtype=np.float64)
    for chosen in (np.arange(200), np.arange(3, 200, 5), np.array([8, 1, 8, 2]), np.arange(0)):
        for count in (1, 10, 300):
            found, unique = read_best(tmp_path, "fitness", chosen, count), np.unique(chosen)
            wanted = rank(table[unique, 1], unique, count)
            np.testing.assert_array_equal(found.instances, wanted.instances)
            np.testing.assert_array_equal(found.fitness, wanted.fitness)


def test_places() -> None:
    for instances in (np.array([2, 3, 9]), np.array([9, 2, 3, 2]), np.arange(0)):
        listed = instances.tolist()
        wanted = [listed.index(number) if number in listed else -1 for number in range(-1, 12)]
        places = Places(instances)
        np.testing.assert_array_equal(places.of(np.arange(-1, 12)), wanted)
        np.testing.assert_array_equal(places.have(np.arange(-1, 12)), np.array(wanted) >= 0)


def test_parameters_are_written_piece_by_piece(
    both: tuple[Result, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = both[0].status.diverged_at.values
    write_parameters(tmp_path / "whole.csv", both[0].info, steps)
    monkeypatch.setattr(result_module, "ROWS_AT_ONCE", 3)
    write_parameters(tmp_path / "pieces.csv", both[1].info, steps)
    text = (tmp_path / "pieces.csv").read_text()
    assert text == (tmp_path / "whole.csv").read_text()
    assert text.splitlines()[7] == "6,0.25,80.0,diverged,1006"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Runs of two sizes with 40 metrics and one of 20 regions."""
    folders = {}
    for rows in (768 * 2, 768 * 8):
        work = Work(rows, parameters=6, regional=1, regions=20)
        folders[rows] = folder = tmp_path_factory.mktemp("wide")
        store = RunStore.open(folder, "benchmark", work.catalogue, work.points, OBSERVED)
        for some in work.shards(store.pending()):
            store.keep(some)
        store.finish()
    return folders


def bytes_per_instance(wide: dict[int, Path], patch: pytest.MonkeyPatch) -> float:
    """What the peak of memory grows by, of opening a result and telling of it; pieces are small beside these runs."""
    patch.setattr(open_folder, "PIECE", 256)
    patch.setattr(stored_values, "PIECE", 4096)
    (few, less), (many, more) = ((rows, _peak_of_opening(folder)) for rows, folder in wide.items())
    return (more - less) / (many - few)


def _peak_of_opening(folder: Path) -> int:
    ratemlx.open_result(folder)  # what is imported then is no part of it
    tracemalloc.start()
    try:
        result = ratemlx.open_result(folder)
        assert result_table(result)[-1].startswith("... and")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_of_a_large_result_is_that_of_numbers(wide: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What grows: the instance (twice), its swept parameters and its step; not its 60 values, nor lists of them."""
    monkeypatch.setattr(open_folder, "MAX_VALUES", 0)
    monkeypatch.setattr(result_module, "MAX_TEXTS", 0)
    assert bytes_per_instance(wide, monkeypatch) < 1.2 * (2 * 8 + 4 * 8 + 4)


def test_memory_of_a_result_that_is_read(wide: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns of numbers, and nothing of that size beside them."""
    assert bytes_per_instance(wide, monkeypatch) < 1.2 * (8 * (40 + 20) + 2 * 8 + 4 * 8 + 4 + 32)


def test_time_grows_with_the_number_of_instances(wide: dict[int, Path]) -> None:
    """Half of the instances diverge, each is asked for 50 times: four times as many do not take 16 times as long."""

    def seconds(folder: Path, numbers: Int64s) -> float:
        started = time.process_time()
        read_steps(folder, numbers)
        return time.process_time() - started

    times: list[float] = []
    for rows, folder in wide.items():
        with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection, connection:
            connection.execute("UPDATE instances SET diverged_at = 7 WHERE instance % 2")
        numbers: Int64s = np.tile(np.arange(rows), 50)
        times.append(min(seconds(folder, numbers) for _ in range(3)))
        steps: Floats = read_steps(folder, numbers)
        np.testing.assert_array_equal(steps, np.where(numbers % 2, 7, -1))
    assert all(after < 10 * before + 0.05 for before, after in pairwise(times))
