"""The engine with a kernel written by hand: numbers against plain NumPy, and the promise of bit-identical results."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.abi import Manifest
from ratemlx.errors import SweepError
from ratemlx.runtime import Connectome, Result, RunSpec, run
from ratemlx.runtime.edges import delays, edges
from ratemlx.runtime.initial import initial_state
from ratemlx.runtime.spec import prepare
from ratemlx.runtime.sweep import spaced
from tests.support.reference_network import CouplingTerm, ReferenceNetwork

POINTS = {"drive": [0.0, 0.3, 1.0], "coupling": (0.0, 0.1, 3), "conduction_speed": [1.5, 6.0]}


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    return RunSpec(folder=linear, connectome=small, sweep=POINTS, duration=40.0, dt=0.25, period=1.0, threads=2)


@pytest.fixture(scope="module")
def noisy(spec: RunSpec) -> Result:
    return run(spec)


def expected(spec: RunSpec, connectome: Connectome, result: Result, instance: int, integrator: str) -> np.ndarray:
    point = {name: float(result.parameters[name][instance]) for name in ("drive", "coupling", "conduction_speed")}
    normal = connectome.normalized("out-strength")
    steps = np.zeros(normal.weights.shape, dtype=int)
    steps[np.nonzero(normal.weights)] = delays(edges(normal), point["conduction_speed"], spec.dt)
    start = np.random.Generator(np.random.Philox(key=[42, zlib.crc32(b"x")])).uniform(0, 1, 5)
    network = ReferenceNetwork(
        normal.weights,
        steps,
        spec.dt,
        {"x": start, "y": np.zeros(5)},
        [CouplingTerm("c", "x", factor=point["coupling"])],
        lambda s, c: {"x": -s["x"] / 10 + point["drive"] + c["c"], "y": s["x"] - s["y"]},
        {"x": lambda s: s["x"], "y": lambda s: s["y"]},
        integrator=integrator,
    ).run(40, 4)
    return np.stack([network["x"], network["y"]])


@pytest.mark.parametrize("integrator", ["euler", "heun"])
def test_against_plain_numpy(spec: RunSpec, small: Connectome, integrator: str) -> None:
    result = run(replace(spec, noise=False, precision="float64", integrator=integrator))
    assert result.time_series.shape == (18, 2, 40, 5)
    for instance in range(18):
        wanted = expected(spec, small, result, instance, integrator)
        np.testing.assert_allclose(result.time_series[instance].values, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 1},
        {"batch_size": 7},
        {"batch_size": 100},
        {"threads": 1},
        {"lanes": 1},
        {"lanes": 4, "batch_size": 5},
    ],
    ids=str,
)
def test_results_are_bit_identical(spec: RunSpec, noisy: Result, changes: dict[str, int]) -> None:
    found = run(replace(spec, **changes))
    assert found.time_series.values.tobytes() == noisy.time_series.values.tobytes()


def test_order_and_company_of_a_point_do_not_matter(spec: RunSpec, noisy: Result) -> None:
    turned = run(replace(spec, sweep={"conduction_speed": [6.0, 1.5], "coupling": [0.1], "drive": [1.0, 0.3]}))
    for speed, drive, mine in ((6.0, 1.0, 0), (6.0, 0.3, 1), (1.5, 1.0, 2), (1.5, 0.3, 3)):
        where = (noisy.parameters["conduction_speed"] == speed) & (noisy.parameters["drive"] == drive)
        where &= noisy.parameters["coupling"] == 0.1
        other = noisy.time_series.values[np.flatnonzero(where.values)]
        assert other.tobytes() == turned.time_series.values[mine].tobytes()


def test_noise_depends_on_seed_and_point_unless_common(spec: RunSpec) -> None:
    same = {"drive": [0.5, 0.5000001]}
    spread = replace(spec, sweep=same, precision="float64")
    series = run(spread).time_series.values
    assert np.abs(series[0] - series[1]).max() > 1e-3
    assert not np.array_equal(run(replace(spread, seed=43, initial={"x": 0.5})).time_series.values, series)
    common = run(replace(spread, common_noise=True)).time_series.values
    assert 0 < np.abs(common[0] - common[1]).max() < 1e-5


def test_noise_has_the_variance_of_its_formula(linear: Path) -> None:
    alone = Connectome(np.zeros((200, 200)), np.zeros((200, 200)))
    found = run(
        RunSpec(
            folder=linear,
            connectome=alone,
            params={"drive": 0.0, "sigma": 0.5},
            initial={"x": 0.0},
            duration=400.0,
            dt=0.1,
            period=0.1,
            observe=("x",),
        )
    )
    late = found.time_series.values[0, 0, 1000:].astype(np.float64)
    # dx = -x / tau dt + sigma dW has variance sigma^2 tau / 2 (Euler: divided by 1 - dt / (2 tau)).
    assert late.var() == pytest.approx(0.25 * 10 / 2 / (1 - 0.1 / 20), rel=0.05)
    assert abs(late.mean()) < 0.05


def test_constants_and_observed_exposures(spec: RunSpec) -> None:
    quick = run(replace(spec, sweep={}, params={"tau": 1.0, "drive": 2.0, "sigma": 0.0}, observe=("y",), noise=False))
    assert quick.time_series.exposure.values.tolist() == ["y"]
    assert quick.time_series.shape == (1, 1, 40, 5)
    alone = replace(spec, sweep={}, params={"tau": 1.0, "drive": 2.0, "coupling": 0.0}, noise=False)
    np.testing.assert_allclose(run(alone).time_series[0, 0, -1].values, 2.0, rtol=1e-5)


def test_a_diverging_instance_is_marked_and_changes_no_other(spec: RunSpec) -> None:
    table = {"coupling": [0.05, 1e30, 0.07], "drive": [0.1, 0.1, 0.2]}
    both = run(replace(spec, sweep={}, samples=table))
    assert both.status.values.tolist() == ["ok", "diverged", "ok"]
    assert both.diverged.tolist() == [1]
    steps = both.status.coords["diverged_at"].values
    assert steps[[0, 2]].tolist() == [-1, -1]
    assert 0 < steps[1] < 100
    calm = run(replace(spec, sweep={}, samples={"coupling": [0.05, 0.07], "drive": [0.1, 0.2]}))
    assert calm.time_series.values.tobytes() == both.time_series.values[[0, 2]].tobytes()
    assert both.warnings == ("coupling = 0.05 to 1e+30 leaves the model's range of 0 to 0.1",)


def test_samples_longer_than_a_chunk_and_odd_ends(spec: RunSpec) -> None:
    long = replace(spec, dt=0.1, noise=False, precision="float64", sweep={})
    fine = run(replace(long, period=0.1, duration=37.8)).time_series.values
    coarse = run(replace(long, period=18.9, duration=37.8)).time_series.values
    means = fine.reshape(1, 2, 2, 189, 5).mean(axis=3)
    np.testing.assert_allclose(coarse, means, rtol=1e-13)


def test_starts(manifest: Manifest) -> None:
    first, again, other = (initial_state(manifest, five_regions(), seed, {"y": range(5)}) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], other[0])
    assert ((first[0] >= 0) & (first[0] < 1)).all()
    np.testing.assert_array_equal(first[1], range(5))
    for given, message in (
        ({"z": 1}, "linear has no state variable 'z'"),
        ({"x": [1, 2]}, "the start of x has 2 values; one, or one per region (5), is expected"),
        ({"x": np.nan}, "the start of x is not finite"),
    ):
        with pytest.raises(SweepError) as caught:
            initial_state(manifest, five_regions(), 1, given)
        assert caught.value.message == message


def test_a_sweep_beyond_memory_is_refused_before_it_is_made(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratemlx.runtime.sweep.free_memory", lambda: 2**30)
    with pytest.raises(SweepError) as caught:
        prepare(replace(spec, sweep={"drive": (0.0, 1.0, 10**5), "coupling": (0.0, 1.0, 10**4)}))
    assert caught.value.message == "the parameter values of 1,000,000,000 points take 44.7 GiB; 1.0 GiB are free"
    with pytest.raises(SweepError) as caught:
        spaced(0.0, 1.0, 900_000_000, "linear", "drive")
    assert caught.value.message == "the parameter values of 900,000,000 points take 33.5 GiB; 1.0 GiB are free"
    with pytest.raises(SweepError) as caught:
        prepare(replace(spec, sweep={"drive": (0.0, 1.0, 10**4000), "coupling": (0.0, 1.0, 10**4000)}))
    assert caught.value.message == (
        "the sweep has over 1,000,000,000,000,000,000 points, more than the 1,000,000,000 supported"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observe": ("z",)}, "linear has no exposure 'z'"),
        ({"seed": -1}, "the seed must be a whole number from 0 to 2^64 - 1; it is -1"),
        ({"precision": "float16"}, "unknown precision 'float16'"),
        ({"integrator": "rk5"}, "unknown integrator 'rk5'"),
        ({"params": {"drive": 1.0}}, "drive is both set and swept"),
        ({"conduction_speed": 3.0}, "conduction_speed is both set and swept"),
        ({"conduction_speed": [3.0]}, "the conduction speed is given twice"),
        ({"samples": {"drive": [1]}}, "a table of points and a sweep cannot be combined"),
        ({"lanes": 3}, "lanes must be a power of two up to 1024; they are 3"),
    ],
)
def test_specs_that_are_refused(spec: RunSpec, changes: dict[str, object], message: str) -> None:
    with pytest.raises(SweepError) as caught:
        run(replace(spec, **changes))
    assert caught.value.message == message


def five_regions() -> Connectome:
    return Connectome(np.ones((5, 5)), np.ones((5, 5)))
