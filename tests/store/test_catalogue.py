"""Names of columns: SQL's words, names that differ in case alone, parameters and metrics of one name."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ResultError
from ratemlx.store.catalogue import Catalogue, MetricEntry, ParameterEntry, Ranking
from ratemlx.store.points import Points
from ratemlx.store.reading import open_database
from ratemlx.store.run_store import RunStore
from ratemlx.store.shards import Shard

NAMES = ("seed", "Status", "a", "A", "select", 'quo"te', "mean", "parameter_seed", "rowid", "étude", "", "x; DROP")
METRICS = ("mean", "MEAN", "order", "instance", "group by")


def _catalogue() -> Catalogue:
    return Catalogue(tuple(map(ParameterEntry, NAMES)), tuple(map(MetricEntry, METRICS)), seed=3)


def test_names() -> None:
    found = _catalogue()
    assert [found.metric_column(name) for name in METRICS] == [
        "mean",
        "metric_MEAN",
        "order",
        "metric_instance",
        "group by",
    ]
    assert [found.parameter_column(name) for name in NAMES] == [
        "parameter_seed",
        "parameter_Status",
        "a",
        "parameter_A",
        "select",
        'quo"te',
        "parameter_mean",
        "parameter_parameter_seed",
        "parameter_rowid",
        "étude",
        "parameter_",
        "x; DROP",
    ]


def test_any_names_make_a_database(tmp_path: Path) -> None:
    points = Points("grid", {name: np.array([float(i)]) for i, name in enumerate(NAMES)}, {})
    store = RunStore.open(tmp_path, "stamp", _catalogue(), points, {})
    columns = np.arange(5.0)[None] + 100
    store.keep(
        Shard(
            instances=np.array([0]), diverged_at=np.array([-1], np.int32), column_names=METRICS[::-1], columns=columns
        )
    )
    store.finish()
    with closing(open_database(tmp_path)) as connection:
        (row,) = connection.execute("SELECT * FROM instances").fetchall()
        names = dict(connection.execute("SELECT name, column_name FROM parameters"))
    assert row == (0, *map(float, range(12)), 3, "ok", None, 104.0, 103.0, 102.0, 101.0, 100.0)
    assert names["Status"] == "parameter_Status"


def test_catalogue_survives_json() -> None:
    found = Catalogue((ParameterEntry("g", "nS", "d", 1.0),), (MetricEntry("m"),), ("r",), 4, Ranking("m", 2, False))
    assert Catalogue.from_json(found.to_json()) == found
    record = found.to_json()
    for wrong, where in (
        (None, "the parameters in its catalogue"),
        ({}, "the parameters in its catalogue"),
        ({**record, "parameters": [{"nome": 1}]}, "the parameters in its catalogue"),
        ({**record, "parameters": [{**record["parameters"][0], "default": "x"}]}, "the parameters in its catalogue"),
        ({**record, "metrics": [{"column": 3}]}, "the metrics in its catalogue"),
        ({**record, "seed": None}, "the regions, seed or ranking"),
        ({**record, "ranking": {"column": "none such"}}, "the regions, seed or ranking"),
    ):
        with pytest.raises(ValueError, match=f"{where}.* cannot be understood"):
            Catalogue.from_json(wrong)


def test_what_cannot_be() -> None:
    with pytest.raises(ResultError, match="cannot be ranked by 'm'"):
        Catalogue((), ranking=Ranking("m"))
    with pytest.raises(ResultError, match="more than 1,900 columns"):
        Catalogue((), tuple(MetricEntry(f"m{i}") for i in range(1901)))
