"""Constant, broken and short recordings: NaN where a metric is undefined, never a warning or a crash."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratemlx.errors import MetricError
from ratemlx.metrics import Metric, Recording, Statistics, check, default_registry, evaluate, select
from ratemlx.runtime.arrays import AnyArray
from tests.metrics.signals import recording, value

ALL = select(["all"])
REGIONS = 14
LABELS = tuple(
    f"{side}_{name}"
    for side in "lr"
    for name in (
        "inferiorparietal",
        "isthmuscingulate",
        "medialorbitofrontal",
        "posteriorcingulate",
        "precuneus",
        "cuneus",
        "insula",
    )
)
RATES = ["mean_FR", "std_FR", "max_FR", "min_FR", "coeff_var"]


def made(values: AnyArray, period: float = 1.0) -> Recording:
    random = np.random.default_rng(0)
    regions = values.shape[2]
    weights, lengths = random.random((2, regions, regions))
    references = {"FCD": random.random(20), "phFCD": random.random(20)}
    labels = LABELS[:regions]
    return Recording(values, period, "Hz", labels, weights, lengths, references=references)


def noise(*shape: int) -> AnyArray:
    return 5 + np.random.default_rng(1).standard_normal(shape)


INPUTS = {
    "zeros": np.zeros((1, 1500, REGIONS)),
    "constant": np.full((1, 1500, REGIONS), 4.25),
    "rounding": (4.25 + 4.7e-7 * (np.arange(1500 * REGIONS).reshape(1, 1500, REGIONS) % 2)).astype(np.float32),
    "negative constant": np.full((1, 1500, REGIONS), -3.0),
    "one region constant": np.where(np.arange(REGIONS) == 3, 7.0, noise(1, 1500, REGIONS)),
    "one region varies": np.where(np.arange(REGIONS) == 3, noise(1, 1500, REGIONS), 7.0),
    "one region": noise(1, 1500, 1),
    "two samples": noise(1, 2, REGIONS),
    "one sample": noise(1, 1, REGIONS),
    "no sample": noise(1, 0, REGIONS),
    "no instance": noise(0, 1500, REGIONS),
    "huge": 1e300 * noise(1, 1500, REGIONS),
    "tiny": 1e-300 * noise(1, 1500, REGIONS),
    "a step": np.where(np.arange(1500)[None, :, None] < 750, 0.0, 100.0) * np.ones(REGIONS),
}


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_fails_or_warns(name: str) -> None:
    values = INPUTS[name]
    found = evaluate(ALL, {"E": made(values)})
    assert {f"{output.name}_E" for metric in ALL for output in metric.outputs} == set(found.columns) | set(
        found.regional
    )
    for column in found.columns.values():
        assert column.shape == values.shape[:1]
        assert not np.isinf(column).any()
    for column in found.regional.values():
        assert column.shape == (values.shape[0], values.shape[2])


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
@pytest.mark.parametrize("name", ["zeros", "constant", "rounding", "one region constant", "one region", "a step"])
def test_metrics_divide_by_nothing(metric: Metric, name: str) -> None:
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        metric.function(made(INPUTS[name]))


@pytest.mark.parametrize("name", ["constant", "rounding", "negative constant"])
def test_constant_series_have_rates_and_little_else(name: str) -> None:
    found = evaluate(ALL, {"E": made(INPUTS[name])})
    undefined = {key for key, column in found.columns.items() if np.isnan(column).all()}
    defined = {key.removesuffix("_E") for key in set(found.columns) - undefined}
    assert {"mean_FR", "std_FR", "max_FR", "min_FR", "coeff_var", "mean_up_ms", "mean_down_ms"} <= defined
    assert not defined & {"mean_FC", "mean_PLI", "var_FCD", "mean_FCD", "mean_phFCD", "corr_FC_SC", "ratio_zscore_dmn"}
    assert found.columns["mean_FR_E"] == pytest.approx([INPUTS[name].mean()], rel=1e-6)
    assert np.isnan(found.regional["freq_dom_E"]).all()


def test_a_constant_region_counts_as_uncorrelated() -> None:
    x = noise(1, 4000, 3)
    x[..., 1] = 7.0
    fc = np.corrcoef(x[0, :, 0], x[0, :, 2])[0, 1]
    assert value("mean_FC", made(x)) == pytest.approx([2 * fc / 9])
    assert made(x).fc[0, 1].tolist() == [0.0, 0.0, 0.0]
    two = value("mean_PLI", made(x[..., [0, 2]]))
    assert value("mean_PLI", made(x)) == pytest.approx(two * 4 / 9)


def test_a_nearly_constant_region_still_correlates() -> None:
    x = np.random.default_rng(2).standard_normal((1, 2000, 2)) * 1e-9 + 1.0
    exact = np.corrcoef((x[0] - 1.0).T)[0, 1]
    assert made(x).fc[0, 0, 1] == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spoils_its_own_instance_only(bad: float) -> None:
    values = noise(3, 1500, REGIONS)
    clean = evaluate(ALL, {"E": made(values)}, chunk=3)
    values[1, 700, 2] = bad
    found = evaluate(ALL, {"E": made(values)}, chunk=3)
    for name in clean.columns:
        assert np.isnan(found.columns[name][1]), name
        np.testing.assert_array_equal(found.columns[name][[0, 2]], clean.columns[name][[0, 2]], err_msg=name)
    for name in clean.regional:
        assert np.isnan(found.regional[name][1]).all(), name


def test_short_recordings_are_refused_before_the_run_and_nan_after() -> None:
    check(ALL, 1300, 1.0)
    with pytest.raises(MetricError) as caught:
        check(select(["freq_dom", "mean_up_ms", "mean_FR"]), 20, 1.0)
    assert caught.value.message == (
        "20 ms are too short for the metrics up_down_durations (40 ms), dominant_frequency (1000 ms)"
    )
    check(select([*RATES, "mean_FC"]), 1, 1.0)
    found = evaluate(ALL, {"E": made(noise(1, 20, REGIONS))})
    assert np.isnan(found.regional["freq_dom_E"]).all()
    assert np.isfinite(found.columns["mean_FR_E"]).all()


def test_fcd_needs_three_windows() -> None:
    with pytest.raises(MetricError, match="fcd_variance"):
        check(select(["var_FCD"]), 1200, 1.0)
    assert np.isnan(value("var_FCD", made(noise(1, 1200, 4)))).all()
    check(select(["var_FCD"]), 1201, 1.0)
    assert np.isfinite(value("var_FCD", made(noise(1, 1201, 4)))).all()


def test_thresholds_in_hz_mean_nothing_for_other_quantities() -> None:
    potential = Recording(noise(1, 1500, 3), 1.0, "mV")
    found = evaluate(ALL, {"V": potential})
    assert not {"ratio_AI_V", "mean_up_ms_V", "mean_down_ms_V"} & set(found.columns)
    assert {"ratio_AI_E", "mean_up_ms_E"} <= set(evaluate(ALL, {"E": replace(potential, unit="1/ms")}).columns)
    assert np.isfinite(found.columns["mean_PLI_V"]).all()


def test_bands_beyond_what_is_sampled_are_undefined() -> None:
    slow = Recording(noise(1, 1500, 3), 20.0, "Hz")
    assert np.isnan(value("gamma_rel_power", slow)).all()
    assert np.isnan(value("beta_rel_power", slow)).all()
    assert np.isfinite(value("alpha_rel_power", slow)).all()


def test_a_series_that_was_not_kept_is_missed() -> None:
    moments = np.ones((2, 3))
    streamed = Recording(None, 1.0, "Hz", statistics=Statistics(moments, moments, moments, moments))
    with pytest.raises(MetricError, match="need the series"):
        evaluate(select(["mean_PLI"]), {"E": streamed})
    with pytest.raises(MetricError, match="need the series"):
        evaluate(select(["mean_FC"]), {"E": streamed})
    assert evaluate(select(RATES), {"E": streamed}).columns["std_FR_E"].tolist() == [1.0, 1.0]


def test_diverged_statistics_are_undefined() -> None:
    moments = np.ones((2, 3))
    moments[1, 1] = np.nan
    streamed = Recording(None, 1.0, "Hz", statistics=Statistics(moments, moments, moments, moments))
    assert np.isnan(evaluate(select(RATES), {"E": streamed}).columns["mean_FR_E"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": None, "period": 1.0}, "neither a series nor statistics"),
        ({"values": np.zeros((3, 4)), "period": 1.0}, "shape"),
        ({"values": np.zeros((1, 3, 4)), "period": 0.0}, "period"),
    ],
)
def test_impossible_recordings_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        Recording(**arguments)  # type: ignore[arg-type]


def test_recordings_of_different_sizes_are_refused() -> None:
    with pytest.raises(MetricError, match="E: 1 x 2, I: 1 x 3"):
        evaluate(ALL, {"E": made(noise(1, 50, 2)), "I": made(noise(1, 50, 3))})


def test_registry_is_the_default_one() -> None:
    assert {item.name for item in ALL} == set(default_registry().names())
    assert recording(np.zeros(5)).n_samples == 5
