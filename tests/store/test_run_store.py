"""A run's folder from opening to finishing: pending, kept, ingested, resumed, enlarged, damaged, refused."""

from __future__ import annotations

import errno
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ResultError
from ratemlx.store import database, run_store
from ratemlx.store.catalogue import MetricEntry
from ratemlx.store.database import rebuild
from ratemlx.store.digest import database_digest
from ratemlx.store.discarding import what_is_there
from ratemlx.store.points import Points
from ratemlx.store.reading import open_database
from ratemlx.store.run_store import RunStore, ShardWriter
from ratemlx.store.shards import shard_files
from tests.store.runs import CATALOGUE, STAMP, compute, grid, open_store, shard


def _rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(open_database(folder)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of the whole run, not interrupted, in one batch."""
    folder = tmp_path_factory.mktemp("expected")
    store = open_store(folder)
    compute(store, 100)
    store.finish()
    return database_digest(folder)


def test_a_run_fills_its_database(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.pending().tolist() == list(range(20))
    compute(store)
    assert store.ingest() == 0
    store.finish({"seconds": 1.5})
    assert _rows(
        tmp_path, 'SELECT instance, g, b_e, seed, status, diverged_at, "mean_FC_E" FROM instances LIMIT 7'
    ) == [(i, 0.25 * (i // 4), 40.0 * (i % 4), 42, "ok", None, i / 10) for i in range(6)] + [
        (6, 0.25, 80.0, 42, "diverged", 1006, None)
    ]
    assert _rows(tmp_path, "SELECT mean_rate_E FROM regional WHERE instance = 7") == [(7.0,), (7.1,), (7.2,)]
    assert _rows(tmp_path, "SELECT * FROM sweeps")[0][:4] == (0, 0, 20, "grid")
    assert _rows(tmp_path, "SELECT value FROM provenance WHERE name = 'seconds'") == [("1.5",)]
    assert _rows(tmp_path, "SELECT name, column_name, swept FROM parameters ORDER BY position") == [
        ("g", "g", 1),
        ("b_e", "b_e", 1),
    ]


def test_the_best_keep_their_arrays(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    compute(store)
    rows = _rows(tmp_path, "SELECT instance, shape, dtype, data FROM arrays ORDER BY instance")
    assert [row[:3] for row in rows] == [(i, "3x3/2", "float32") for i in (2, 8, 14)]
    assert np.frombuffer(rows[1][3], "<f4").tolist() == [8.0] * 6  # type: ignore[call-overload]


@pytest.mark.parametrize("batch", [1, 7, 16, 100])
def test_results_do_not_depend_on_batches(tmp_path: Path, batch: int, expected: str) -> None:
    store = open_store(tmp_path)
    compute(store, batch)
    store.finish()
    assert database_digest(tmp_path) == expected
    assert rebuild(tmp_path) == 20
    assert database_digest(tmp_path) == expected


def test_what_takes_too_long_goes_in_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    for number in range(3):
        ShardWriter(tmp_path, STAMP, 0).keep(shard(np.array([number])))
    monkeypatch.setattr(database, "monotonic", iter([0.0, 0.5, 1.5, 1.5, *[2.0] * 9]).__next__)
    assert store.ingest(seconds=1.0) == 1
    assert store.ingest(seconds=1.0) == 2, "no shard has come since, but some were left"
    assert store.ingest() == 0


def test_the_same_command_goes_on_with_any_number_of_ranks(tmp_path: Path, expected: str) -> None:
    first = open_store(tmp_path)
    for rank, instances in enumerate(([3, 19], [0, 1], [7])):
        ShardWriter(tmp_path, STAMP, rank).keep(shard(np.array(instances)))
    assert first.ingest() == 5
    ShardWriter(tmp_path, STAMP, 3).keep(shard(np.array([2, 4])))
    second = open_store(tmp_path)
    assert second.pending().tolist() == [5, 6, *range(8, 19)]
    assert np.flatnonzero(second.finished()).tolist() == [0, 1, 2, 3, 4, 7, 19]
    compute(second)
    second.finish()
    assert database_digest(tmp_path) == expected
    assert _rows(tmp_path, "SELECT sum(n_instances), max(rank) FROM shards") == [(20, 3)]
    third = open_store(tmp_path)
    assert third.complete
    third.finish()
    assert database_digest(tmp_path) == expected


def test_a_larger_sweep_computes_only_what_is_new(tmp_path: Path) -> None:
    first = open_store(tmp_path, grid(3, 4))
    compute(first)
    first.finish()
    second = open_store(tmp_path, grid(5, 4))
    assert second.registration.first == 12
    assert second.pending().tolist() == [16, 17, 18, 19, 24, 25, 26, 27]
    assert second.columns(np.array([16, 24]))["g"].tolist() == [0.25, 0.75]
    compute(second)
    second.finish()
    assert _rows(tmp_path, "SELECT count(*), count(DISTINCT g) FROM instances") == [(20, 5)]
    third = open_store(tmp_path, grid(3, 4))
    assert third.registration.sweep == 0
    assert third.complete


def test_another_parameter_can_be_swept_later(tmp_path: Path) -> None:
    first = open_store(tmp_path, Points("grid", {"g": np.array([0.1, 0.2])}, {"b_e": 60.0}))
    compute(first)
    second = open_store(tmp_path, Points("table", {"g": np.array([0.2, 0.2]), "b_e": np.array([60.0, 70.0])}, {}))
    assert second.registration.instances.tolist() == [1, 3]
    compute(second)
    second.finish()
    third = open_store(tmp_path, Points("table", {"g": np.array([0.2, 0.2]), "b_e": np.array([60.0, 70.0])}, {}))
    assert third.complete
    assert _rows(tmp_path, "SELECT instance, g, b_e FROM instances") == [(0, 0.1, 60.0), (1, 0.2, 60.0), (3, 0.2, 70.0)]


def test_an_unfinished_sweep_is_finished_by_the_larger_one(tmp_path: Path) -> None:
    first = open_store(tmp_path, grid(3, 4))
    first.keep(shard(first.pending()[:5]))
    second = open_store(tmp_path, grid(5, 4))
    assert second.pending().tolist() == [*range(5, 12), 16, 17, 18, 19, 24, 25, 26, 27]


@pytest.mark.parametrize("damage", ["cut short", "one bit", "empty", "renamed"])
def test_a_damaged_shard_is_moved_aside_and_computed_again(tmp_path: Path, damage: str, expected: str) -> None:
    compute(open_store(tmp_path))
    path = shard_files(tmp_path)[2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    if damage == "renamed":
        path.rename(path.with_name(path.name.replace("-0-", "-1-").replace(".npz", "0.npz")))
    else:
        path.write_bytes({"cut short": path.read_bytes()[:-9], "one bit": data, "empty": b""}[damage])
    store = open_store(tmp_path)
    assert store.pending().tolist() == [6, 7, 8]
    assert len(store.warnings) == 1
    assert "was damaged" in store.warnings[0]
    assert len(list((tmp_path / "shards" / "damaged").iterdir())) == 1
    compute(store)
    store.finish()
    assert database_digest(tmp_path) == expected
    assert _rows(tmp_path, "SELECT sum(n_instances) FROM shards") == [(20,)]


def test_a_shard_damaged_while_the_run_goes_on_is_told_at_its_end(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    path = store.keep(shard(store.pending()))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ResultError, match="20 instances are missing"):
        store.finish()
    assert not open_store(tmp_path).complete


@pytest.mark.parametrize("fault", ["absent", "nonsense", "empty", "other columns"])
def test_a_database_that_is_no_use_is_made_again(tmp_path: Path, fault: str, expected: str) -> None:
    store = open_store(tmp_path)
    compute(store)
    database = tmp_path / "results.sqlite"
    if fault == "absent":
        database.unlink()
    elif fault == "other columns":
        other = tmp_path / "other"
        RunStore.open(other, STAMP, replace(CATALOGUE, metrics=(MetricEntry("x"),), ranking=None), grid(), {})
        (other / "results.sqlite").replace(database)
    else:
        database.write_bytes(b"nonsense" * 1000 if fault == "nonsense" else b"")
    store = open_store(tmp_path)
    assert store.complete
    store.finish()
    assert database_digest(tmp_path) == expected


def test_shards_that_a_file_system_shows_late_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged one, which is set aside as soon as it is seen, is not."""
    store = open_store(tmp_path)
    names = [store.keep(shard(np.arange(first, first + 5))).name for first in (0, 5, 10, 15)]
    looks, see = [0], run_store.shard_files

    def see_late(folder: Path) -> list[Path]:
        looks[0] += 1
        return see(folder)[: 2 if looks[0] < 4 else 4]

    monkeypatch.setattr(run_store, "LISTING_PAUSES", (0.001, 0.001))
    monkeypatch.setattr(run_store, "shard_files", see_late)
    store.expect(names)
    assert looks[0] == 4
    (tmp_path / "shards" / names[1]).write_bytes(b"cut")
    store.ingest()
    store.expect(names)
    monkeypatch.setattr(run_store, "LISTING_SECONDS", 0.01)
    (tmp_path / "shards" / names[2]).unlink()
    with pytest.raises(ResultError, match=f"1 of 4 batches .* cannot be seen after 0.01 s.*{names[2]}") as caught:
        store.expect(names)
    assert "the same command again" in (caught.value.hint or "")
    assert not list((tmp_path / "shards").glob(".*"))


def test_other_runs_are_refused_until_restart(tmp_path: Path) -> None:
    compute(open_store(tmp_path))
    with pytest.raises(ResultError, match="holds another run; what differs: dt"):
        RunStore.open(tmp_path, "other", CATALOGUE, grid(), {}, explain=lambda record: ["dt", str(record["model"])])
    metrics = (*CATALOGUE.metrics, MetricEntry("ratio_AI_E"))
    with pytest.raises(ResultError, match=r"other columns; what differs: metrics \(ratio_AI_E\)"):
        RunStore.open(tmp_path, STAMP, replace(CATALOGUE, metrics=metrics), grid(), {})
    with pytest.raises(ResultError, match="differ in parameters: b_e"):
        RunStore.open(tmp_path / "new", STAMP, CATALOGUE, Points("grid", {"g": np.zeros(1)}, {}), {})


def test_restart_changes_nothing_until_the_run_begins(tmp_path: Path) -> None:
    compute(open_store(tmp_path))
    (tmp_path / "time_series.nc").write_text("old")
    (tmp_path / "shards" / "damaged").mkdir()
    (tmp_path / "shards" / "damaged" / "1.npz").write_text("cut")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    told = list(map(str, what_is_there(tmp_path, ["time_series.nc", "report.html"])))
    assert told[0].startswith("7 finished batches of 1 sweep (")
    assert [text.partition(" (")[0] for text in told[1:]] == [
        *("1 damaged batch", "results.sqlite", "time_series.nc", "run.json")
    ]
    assert "1 damaged batch (3 bytes)" in told
    assert "time_series.nc (3 bytes)" in told
    store = RunStore.open(tmp_path, "other", CATALOGUE, grid(), {}, restart=True)
    assert len(store.pending()) == 20
    assert len(store.present()) == 0
    assert not store.complete
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    store.begin_anew(["time_series.nc", "report.html"])
    assert not (tmp_path / "time_series.nc").exists()
    assert _rows(tmp_path, "SELECT count(*) FROM instances") == [(0,)]
    assert next(map(str, what_is_there(tmp_path))).startswith("results.sqlite (")
    compute(store)
    store.finish()
    assert len(store.present()) == 20


def test_shards_without_run_json_are_not_adopted(tmp_path: Path) -> None:
    compute(open_store(tmp_path))
    (tmp_path / "run.json").unlink()
    with pytest.raises(ResultError, match=r"holds results.sqlite and no run.json"):
        open_store(tmp_path)


def test_series_come_back(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    compute(store, 8, series=True)
    series = {int(i): values for item in store.shards() for i, values in zip(item.instances, item.series, strict=True)}
    assert sorted(series) == list(range(20))
    assert all((values == i).all() for i, values in series.items())


def test_leftovers_are_swept_up(tmp_path: Path) -> None:
    open_store(tmp_path)
    (tmp_path / "shards" / ".host-123.part").write_bytes(b"half")
    open_store(tmp_path)
    assert list((tmp_path / "shards").glob(".*")) == []


def test_a_run_without_a_sweep_and_one_without_metrics(tmp_path: Path) -> None:
    catalogue = replace(CATALOGUE, metrics=(), ranking=None)
    store = RunStore.open(tmp_path, STAMP, catalogue, Points("grid", {}, {"g": 0.1, "b_e": 2.0}), {})
    bare = replace(shard(np.array([0])), column_names=(), columns=None, regional_names=(), regional=None, arrays=())
    store.keep(bare)
    store.finish()
    assert _rows(tmp_path, "SELECT * FROM instances") == [(0, 0.1, 2.0, 42, "ok", None)]


def test_a_reader_delays_the_database_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratemlx.store.database.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("ratemlx.store.run_store.FINISH_TRIES", 2)
    store = open_store(tmp_path)
    with closing(open_database(tmp_path)) as reader:
        rows = reader.execute("SELECT * FROM parameters")
        next(rows)
        store.keep(shard(store.pending()))
        assert store.ingest() == 0
        with pytest.raises(ResultError, match="is locked by somebody who reads it"):
            store.finish()
        rows.close()
    assert store.ingest() == 20
    store.finish()


def test_a_complete_run_is_left_as_it_is(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    compute(store)
    assert store.present().tolist() == list(range(20))
    store.finish({"seconds": 2})
    before = (tmp_path / "run.json").read_bytes()
    assert RunStore.open(tmp_path, STAMP, CATALOGUE, grid(), {"model": "adex", "date": "later"}).complete
    assert (tmp_path / "run.json").read_bytes() == before
    assert _rows(tmp_path, "SELECT value FROM provenance WHERE name IN ('seconds', 'date')") == [("2",)]
    shard_files(tmp_path)[0].unlink()
    assert open_store(tmp_path).pending().tolist() == [0, 1, 2]
    assert b'"complete": false' in (tmp_path / "run.json").read_bytes()


def test_a_file_system_that_is_ill_for_a_moment_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute(open_store(tmp_path))

    def fail(_path: Path) -> str:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("ratemlx.store.shards.checksum_of", fail)
        with pytest.raises(ResultError, match="cannot be read: Input/output error"):
            open_store(tmp_path)
    assert open_store(tmp_path).complete


def test_a_run_without_its_run_json_is_not_called_another(tmp_path: Path) -> None:
    """The remedy is its copy: --restart would discard everything."""
    compute(open_store(tmp_path))
    (tmp_path / "run.json").unlink()
    with pytest.raises(ResultError, match="which would say of which run") as caught:
        open_store(tmp_path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("its copy is whole; put it back: cp ")


def test_a_run_that_computed_nothing_keeps_no_other_out(tmp_path: Path) -> None:
    open_store(tmp_path)
    other = open_store(tmp_path, stamp="another")
    assert other.contents.stamp == "another"
    ShardWriter(tmp_path, "another", 0).keep(shard(np.array([1])))
    with pytest.raises(ResultError, match="holds another run"):
        open_store(tmp_path)
