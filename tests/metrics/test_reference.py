"""The paper's metrics of four noisy AdEx runs, against the reference implementation's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratemlx.metrics import Evaluation, Recording, Statistics, evaluate, select
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.connectome_files import load_connectome
from ratemlx.runtime.workers import Workers

RELATIVE = 1e-6
EXACT = ("fmax_amp", "fmax_prom", "freq_dom", "ratio_AI")


@pytest.fixture(scope="module")
def expected(reference: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads((reference / "metrics" / "metrics.json").read_text(encoding="utf-8"))
    return runs


@pytest.fixture(scope="module")
def series(reference: Path) -> dict[str, AnyArray]:
    with np.load(reference / "metrics" / "series.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def recordings(series: dict[str, AnyArray]) -> dict[str, Recording]:
    connectome = load_connectome("tvb:68")
    shared = connectome.region_labels, connectome.weights, connectome.tract_lengths
    return {name: Recording(values, 1.0, "kHz", *shared) for name, values in series.items()}


@pytest.fixture(scope="module")
def found(recordings: dict[str, Recording]) -> Evaluation:
    return evaluate(select(["table2"]), recordings)


def test_all_values_of_the_reference(
    expected: list[dict[str, Any]], found: Evaluation, record: Callable[[str, float], None]
) -> None:
    values = {**found.columns, **found.regional}
    assert set(expected[0]) <= set(values)
    worst = 0.0
    for run, numbers in enumerate(expected):
        for name, number in numbers.items():
            if name.rpartition("_")[0] in EXACT:
                np.testing.assert_array_equal(values[name][run], number, err_msg=f"{name} of run {run}")
            else:
                worst = max(worst, abs(values[name][run] / number - 1))
    record("relative error of metrics", worst)
    assert worst <= RELATIVE


def test_every_number_is_finite(found: Evaluation) -> None:
    for name, values in {**found.columns, **found.regional}.items():
        assert np.isfinite(values).all(), name


def test_neither_chunks_nor_threads_change_a_bit(recordings: dict[str, Recording]) -> None:
    found = evaluate(select(["all"]), recordings)
    for threads, chunk in ((1, 3), (2, 1), (1, 4)):
        again = evaluate(select(["all"]), recordings, each=Workers(threads), chunk=chunk)
        for name, values in found.columns.items():
            np.testing.assert_array_equal(again.columns[name], values, err_msg=name)
        for name, values in found.regional.items():
            np.testing.assert_array_equal(again.regional[name], values, err_msg=name)


def test_statistics_instead_of_series_give_the_same(recordings: dict[str, Recording], found: Evaluation) -> None:
    full = recordings["E"]
    assert full.values is not None
    moments = [getattr(full.values.astype(float), name)(axis=1) for name in ("mean", "var", "min", "max")]
    streamed = Recording(
        None, 1.0, "kHz", full.labels, full.weights, full.tract_lengths, Statistics(*moments, fc=full.fc)
    )
    selected = [item for item in select(["table2"]) if item.needs != "series"]
    again = evaluate(selected, {"E": streamed})
    assert {"mean_FR_E", "coeff_var_E", "mean_FC_E", "corr_FC_SC_E", "ratio_zscore_dmn_E"} <= set(again.columns)
    for name, values in again.columns.items():
        np.testing.assert_allclose(values, found.columns[name], rtol=1e-12, err_msg=name)
