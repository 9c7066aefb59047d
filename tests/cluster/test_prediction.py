from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from ratemlx.cluster.database_size import DatabaseColumns
from ratemlx.cluster.hardware import find_cluster, find_gpu
from ratemlx.cluster.prediction import EFFICIENCY, Prediction, predict
from ratemlx.errors import SweepError
from ratemlx.runtime.spec import Job, prepare
from tests.support.shipped import shipped


def adex(**settings: object) -> Job:
    wanted = {"conduction_speed": 3.0, "duration": 5000.0, "observe": ("E", "I"), **settings}
    return prepare(shipped("adex", "cuda-emulation", **wanted))


def on(gpu: str, instances: int, **settings: object) -> Prediction:
    return predict(adex(**settings), find_gpu(gpu), n_instances=instances)


def test_instances_on_40_gb() -> None:
    """The paper's kernel keeps all variables' histories, and fitted about 17,000."""
    found = on("A100-40", 16_384)
    assert found.fitting[3.0] >= 120_000
    assert found.fitting[3.0] * found.bytes_per_instance < 40e9
    history = (864 + 16) * 68 * 4
    assert history < found.bytes_per_instance < 1.1 * history


def test_what_fits_is_planned_as_one_batch_and_no_more_is() -> None:
    fitting = on("A100-40", 1).fitting[3.0]
    size = {"batch_size": fitting}
    assert len(on("A100-40", fitting, **size).plan.batches) == 1
    with pytest.raises(SweepError, match="more memory than there is"):
        on("A100-40", fitting + 32, batch_size=fitting + 32)


def test_time_is_work_over_the_assumed_rate() -> None:
    found = on("H200", 16_384)
    assert found.seconds == pytest.approx(16_384 * 68 * 50_000 / (EFFICIENCY * found.roofline.attainable))
    assert on("H200", 32_768).seconds == pytest.approx(2 * found.seconds)
    assert on("A100-40", 16_384).seconds > 2 * found.seconds


def test_few_instances_do_not_fill_a_gpu() -> None:
    few, full = on("H200", 64), on("H200", 16_384)
    rates = [item.plan.node_steps / item.seconds for item in (few, full)]
    assert 0.05 < rates[0] / rates[1] < 0.5


def test_the_papers_61_million_instances() -> None:
    juwels = find_cluster("juwels-booster")
    count = juwels.ranks * 16_384
    found = predict(adex(), juwels.gpu, cluster=juwels, n_instances=count)
    assert count == 61_341_696
    assert (found.ranks, found.plan.n_instances, found.shards) == (3744, 16_384, 3744)
    assert found.seconds == pytest.approx(on("A100-40", 16_384).seconds)


def test_ranks_that_do_not_divide_the_instances() -> None:
    juwels = find_cluster("juwels-booster")
    for count in (1, 3743, 3745, 100_000):
        found = predict(adex(), juwels.gpu, cluster=juwels, n_instances=count)
        assert found.plan.n_instances == math.ceil(count / juwels.ranks)
        assert found.ranks == min(count, juwels.ranks)


def test_every_speed_is_in_a_ranks_share() -> None:
    juwels = find_cluster("juwels-booster")
    job = adex(
        conduction_speed=None,
        sweep={"conduction_speed": [2.0, 3.0, 4.0], "b_e": np.linspace(0, 100, 200)},
    )
    found = predict(job, juwels.gpu, cluster=juwels)
    assert (found.ranks, found.plan.n_instances) == (600, 1)
    one = predict(job, juwels.gpu)
    assert {group.speed: len(group.instances) for group in one.plan.groups} == {2.0: 200, 3.0: 200, 4.0: 200}
    assert one.fitting[2.0] < one.fitting[3.0] < one.fitting[4.0]


@pytest.mark.parametrize(("parameters", "metrics"), [(5, 48), (2, 24), (10, 0)])
@pytest.mark.parametrize("shuffled", [False, True])
def test_database_size(tmp_path: Path, parameters: int, metrics: int, shuffled: bool) -> None:
    """Against a file with the database's columns, which SQLite writes here."""
    rows, generator = 20_000, np.random.default_rng(1)
    points = generator.random((rows, parameters))
    if not shuffled:
        points = points[np.lexsort(points.T[::-1])]
    names = [f"p{index}" for index in range(parameters)]
    columns = [f"{name} REAL" for name in (*names, *(f"m{index}" for index in range(metrics)))]
    columns[parameters:parameters] = ["seed INTEGER", "status TEXT", "diverged_at INTEGER"]
    path = tmp_path / "results.sqlite"
    connection = sqlite3.connect(path)
    unique = ", ".join((*names, "seed"))
    connection.execute(f"CREATE TABLE instances(instance INTEGER PRIMARY KEY, {', '.join(columns)}, UNIQUE({unique}))")
    values = generator.random((rows, metrics))
    connection.executemany(
        f"INSERT INTO instances VALUES({', '.join('?' * (len(columns) + 1))})",
        ((i, *points[i].tolist(), 123_456_789, "ok", None, *values[i].tolist()) for i in range(rows)),
    )
    connection.commit()
    connection.close()
    assert DatabaseColumns(parameters, metrics).bytes(rows) == pytest.approx(path.stat().st_size, rel=0.15)
