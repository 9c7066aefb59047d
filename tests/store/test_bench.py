"""The benchmark of the store stores what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.bench import store
from ratemlx.store.query import ask


def test_a_small_measurement(tmp_path: Path) -> None:
    work = store.Work(rows=2000, batch=300, parameters=6, metrics=8, regional=2, regions=3)
    found = store.measure_store(work, tmp_path)
    assert found.rows == 2 * 8 * 8 * 12
    assert found.shards == 6
    assert ask(tmp_path, "SELECT count(*), count(diverged_at) FROM instances") == [(1536, 15)]
    assert ask(tmp_path, "SELECT count(*) FROM regional") == [(1536 * 3,)]
    text = "\n".join(store.lines(work, found))
    assert "1,536 instances, 6 parameters, 8 metrics, 2 metrics of 3 regions, 6 batches of 300" in text
    assert any("SEARCH instances USING INDEX unique_points" in line for line in store.plans(tmp_path))


LEAST_RATE = 10_000.0
"""Instances per second, on a machine that others keep busy; `python -m ratemlx.bench.store` prints three times that."""


def test_the_store_keeps_up(tmp_path: Path) -> None:
    """A bound for the sane, not a benchmark: 20,000 rows of 50 columns through shards into SQLite, and merged anew."""
    work = store.Work(rows=20_000)
    found = []
    for attempt in range(3):
        (tmp_path / str(attempt)).mkdir()
        found.append(store.measure_store(work, tmp_path / str(attempt)))
        through = max(item.rows / (item.write + item.ingest + item.finish) for item in found)
        merged = max(item.rows / item.rebuild for item in found)
        if min(through, merged) >= LEAST_RATE:
            break
    assert found[-1].rows > 19_000
    assert through >= LEAST_RATE
    assert merged >= LEAST_RATE


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.main(["--rows", "1000", "--batch", "500", "--folder", str(tmp_path), "--plans"])
    assert "through shards into SQLite" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
