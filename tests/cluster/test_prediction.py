from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ratemlx.bench.store import Work
from ratemlx.cluster.hardware import find_cluster, find_gpu
from ratemlx.cluster.prediction import EFFICIENCY, Prediction, predict
from ratemlx.errors import SweepError
from ratemlx.metrics import columns, select
from ratemlx.runtime.outputs import make_outputs
from ratemlx.runtime.spec import Job, prepare
from ratemlx.store import RunStore
from ratemlx.store.database_size import DatabaseColumns
from ratemlx.store.layout import DATABASE_FILE
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


@pytest.mark.parametrize(
    "work",
    [
        Work(rows=4000),
        Work(rows=4000, parameters=4, metrics=20),
        Work(rows=1000, metrics=54, regional=10),
    ],
    ids=["as benchmarked", "few columns", "with metrics of regions"],
)
def test_database_size(work: Work, tmp_path: Path) -> None:
    """Against a run's database that the store writes here, of four varied parameters."""
    store = RunStore.open(tmp_path, "size", work.catalogue, work.points, {})
    pending = store.pending()
    for shard in work.shards(pending):
        store.keep(shard)
    store.finish()
    columns = DatabaseColumns(work.parameters, work.metrics, 4, work.regional, work.regions, ranked=True)
    size = (tmp_path / DATABASE_FILE).stat().st_size
    assert columns.bytes(len(pending)) == pytest.approx(size, rel=0.12)


def test_columns_are_those_that_the_run_would_have() -> None:
    job = adex(outputs=make_outputs(metrics="table2"), sweep={"b_e": [0.0, 1.0], "global_coupling": [0.1, 0.2]})
    found = predict(job, find_gpu("H200"))
    numbers = columns(select(("table2",)), ("E", "I"))
    regional = sum(item.regional for item in numbers)
    assert found.columns == DatabaseColumns(10, len(numbers) - regional, 2, regional, 68)
    assert not found.keeps_series
    assert predict(adex(), find_gpu("H200")).keeps_series


def test_observables_take_memory_of_the_gpu() -> None:
    """Functional connectivity is added up there: fewer instances fit."""
    plain = on("A100-40", 16_384)
    with_fc = on("A100-40", 16_384, outputs=make_outputs(metrics="mean_FC"))
    assert plain.fitting[3.0] > with_fc.fitting[3.0] > 0.5 * plain.fitting[3.0]
    assert with_fc.bytes_per_instance > plain.bytes_per_instance
