"""Memory of an evaluation, and the benchmark of metrics."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest

from ratemlx.bench import metrics as benchmark
from ratemlx.metrics import Metric, Recording, evaluate, select
from ratemlx.metrics.evaluate import COPIES

SAMPLES, REGIONS = 2000, 20


def peak(selected: Sequence[Metric], instances: int, chunk: int) -> int:
    """Most bytes that an evaluation held beyond its input."""
    values = benchmark.made_up_rates(instances, SAMPLES, REGIONS).astype(np.float32)
    made = {"E": Recording(values, 1.0, "kHz")}
    tracemalloc.start()
    evaluate(selected, made, chunk=chunk)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_instances() -> None:
    table = select(["table2"])
    peak(table, 2, 2)
    few, many = peak(table, 4, 2), peak(table, 24, 2)
    assert many < few + 1_000_000


@pytest.mark.parametrize("names", ["table2", "all"])
def test_memory_of_an_instance_is_what_chunks_are_made_for(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its block is freed before anything else is asked for, and never touched.
    monkeypatch.setattr(sys.modules["ratemlx.metrics.evaluate"], "keep_freed_memory", lambda: None)
    assert peak(select([names]), 8, 8) < 8 * COPIES * 8 * SAMPLES * REGIONS


def test_the_benchmark_prints_what_each_metric_takes(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.main(["mean_FC", "mean_PLI", "--instances", "2", "--samples", "300", "--regions", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" for each")[0].split(" ms ")[1] for line in lines[:2]] == ["wall", "processor"]
    assert {line.split()[-1] for line in lines[2:]} >= {"mean_phase_lag_index", "mean_functional_connectivity", "fc"}


def test_made_up_rates_are_rates() -> None:
    rates = benchmark.made_up_rates(2, 1000, 3)
    assert rates.shape == (2, 1000, 3)
    assert (rates > 0).all()
    assert 0 < np.corrcoef(rates[0].T)[0, 1] < 1
