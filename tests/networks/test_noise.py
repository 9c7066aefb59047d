"""Noise is what its formula says: moments, correlation in time, independence. Bounds are five standard errors.

The models are small ones of this file's own: unconnected regions, the noise variable itself as the exposure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ratemlx
from ratemlx.runtime import Connectome, RunSpec, run
from ratemlx.simulate import generated_folder
from tests.support.shipped import TARGETS, series_of

REGIONS = 40
ALONE = Connectome(np.zeros((REGIONS, REGIONS)), np.zeros((REGIONS, REGIONS)))
SIGMAS = 5.0

TEXT = """<?xml version="1.0"?>
<Lems name="noises">
    <ComponentType name="derivatives">
        <Parameter name="label" range="0, 1000" default="0"/>
        <Parameter name="strength" range="0, 10" default="1"/>
        <Constant name="mu" value="0.7"/>
        <Constant name="tau" value="5.1"/>
        <Constant name="sigma" value="1.5"/>
        <Exposure name="ou" value="ou"/>
        <Exposure name="other" value="other"/>
        <Exposure name="walk" value="walk"/>
        <Dynamics>
            <StateVariable name="ou" initial="0.7"/>
            <StateVariable name="other" initial="0.7"/>
            <StateVariable name="walk" initial="0"/>
            <TimeDerivative variable="walk" value="0 * label"/>
        </Dynamics>
    </ComponentType>
    <ComponentType name="noise">
        <Noise variable="ou" type="ornstein_uhlenbeck" mu="mu" tau="tau" sigma="sigma"/>
        <Noise variable="other" type="ornstein_uhlenbeck" mu="mu" tau="tau" sigma="sigma"/>
        <Noise variable="walk" type="additive" sigma="strength"/>
    </ComponentType>
</Lems>
"""
INSTANCES, DURATION, DT = 25, 200.0, 0.5
SETTLED = int(8 * 5.1 / DT)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "noises.xml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def simulated(model: Path, target: str = "cpu", **changes: Any) -> NDArray[np.float64]:
    """The three noise variables, (exposure, instance, step, region)."""
    settings = {
        "sweep": {"label": np.arange(INSTANCES, dtype=float).tolist()},
        "connectome": ALONE,
        "duration": DURATION,
        "dt": DT,
        "period": changes.get("dt", DT),
        "seed": 11,
        "threads": 1,
    }
    spec = RunSpec(folder=generated_folder(model, target), device=target, **(settings | changes))
    return series_of(run(spec)).astype(np.float64).transpose(1, 0, 2, 3)


@pytest.fixture(scope="module", params=TARGETS)
def noises(request: pytest.FixtureRequest, model: Path) -> NDArray[np.float64]:
    return simulated(model, request.param)


def check_mean(chains: NDArray[np.float64], expected: float) -> None:
    """The mean of independent values is as expected, within five of its own standard errors."""
    error = chains.std(ddof=1) / np.sqrt(chains.size)
    assert abs(chains.mean() - expected) <= SIGMAS * error
    assert error <= 0.1 * max(abs(expected), 0.5), "too few values to tell"


def ou_of(noises: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations from mu of the settled process."""
    return noises[0, :, SETTLED:] - 0.7


def innovations(noises: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normals that drove the three variables, (variable, instance, step, region)."""
    decay = np.exp(-DT / 5.1)
    spread = 1.5 * np.sqrt(5.1 / 2 * (1 - decay**2))
    processes = noises[:2] - 0.7
    driven = (processes[:, :, 1:] - decay * processes[:, :, :-1]) / spread
    return np.concatenate([driven, np.diff(noises[2:], axis=2) / np.sqrt(DT)])


def test_ornstein_uhlenbeck_has_the_mean_and_variance_of_its_formula(noises: NDArray[np.float64]) -> None:
    deviations = ou_of(noises)
    check_mean(deviations.mean(axis=1), 0.0)
    check_mean((deviations**2).mean(axis=1), 1.5**2 * 5.1 / 2)


@pytest.mark.parametrize("lag", [1, 3, 10, 30])
def test_ornstein_uhlenbeck_forgets_exponentially(noises: NDArray[np.float64], lag: int) -> None:
    deviations = ou_of(noises)
    products = (deviations[:, lag:] * deviations[:, :-lag]).mean(axis=1)
    check_mean(products, 1.5**2 * 5.1 / 2 * np.exp(-lag * DT / 5.1))


def test_additive_noise_grows_as_time(noises: NDArray[np.float64]) -> None:
    walk = noises[2]
    for milliseconds in (0.5, 5.0, 25.0):
        steps = round(milliseconds / DT)
        grown = np.diff(walk[:, steps - 1 :: steps], axis=1) ** 2
        check_mean(grown.mean(axis=1), milliseconds)


def test_variance_does_not_depend_on_dt(model: Path) -> None:
    """Noise that forgets sqrt(dt) would have a tenth or ten times the variance here."""
    for dt in (0.05, 0.5):
        found = simulated(model, dt=dt, period=0.5, duration=60.0)
        # Means over windows of 0.5 ms: those of a random walk, 5 ms apart.
        grown = np.diff(found[2, :, 9::10], axis=1) ** 2
        window = round(0.5 / dt)
        check_mean(grown.mean(axis=1), 5.0 - dt * (window**2 - 1) / (3 * window))
        check_mean((found[0, :, 80:] - 0.7).mean(axis=1), 0.0)


def test_normals_are_normal(noises: NDArray[np.float64]) -> None:
    for normals in innovations(noises):
        for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (6, 15.0)):
            check_mean((normals**power).mean(axis=1), moment)
        assert 4.0 < np.abs(normals).max() < 6.5


def test_normals_are_independent(noises: NDArray[np.float64]) -> None:
    """Between regions, instances, variables, and steps; four steps share one call of the generator."""
    normals = innovations(noises)
    for axis in (1, 3):
        rows = np.moveaxis(normals[0], axis - 1, 0).reshape(normals.shape[axis], -1)
        off = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
        assert np.abs(off).max() < SIGMAS / np.sqrt(rows.shape[1])
    variables = np.corrcoef(normals.reshape(3, -1))[np.triu_indices(3, 1)]
    assert np.abs(variables).max() < SIGMAS / np.sqrt(normals[0].size)
    for lag in (1, 2, 3, 4, 8):
        check_mean((normals[0, :, lag:] * normals[0, :, :-lag]).mean(axis=1), 0.0)
        check_mean((normals[0, :, lag:] ** 2 * normals[0, :, :-lag] ** 2).mean(axis=1), 1.0)


def test_seeds_repeat_and_differ(model: Path) -> None:
    first, again, other = (simulated(model, duration=20.0, seed=seed) for seed in (3, 3, 2**40 + 3))
    assert first.tobytes() == again.tobytes()
    assert abs(np.corrcoef(first[2].ravel(), other[2].ravel())[0, 1]) < 0.2
    assert not (first[2, :, 0] == other[2, :, 0]).any()


def test_common_noise_is_the_same_for_all_instances(model: Path) -> None:
    common = simulated(model, duration=20.0, common_noise=True)
    assert (common == common[:, :1]).all()
    assert not (common[:, :, :, 0] == common[:, :, :, 1])[:, :, -1].any()
    own = simulated(model, duration=20.0)
    assert not (own[:, 0, -1] == own[:, 1, -1]).any()


def test_precisions_see_the_same_noise(model: Path) -> None:
    single, double = (simulated(model, duration=20.0, precision=precision) for precision in ("float32", "float64"))
    assert 0 < np.abs(single - double).max() < 1e-4


@pytest.mark.parametrize("name", ["adex", "adex_first_order", "adex_eq2"])
def test_stationary_noise_of_adex(name: str, tmp_path: Path) -> None:
    """tvb-library's convention with nsig = 1: a standard deviation of sqrt(5) = 2.24, whatever dt."""
    from ratemlx.resources import shipped_models

    text = shipped_models()[name].read_text(encoding="utf-8")
    file = tmp_path / f"{name}_noise.xml"
    file.write_text(text.replace("<Exposure", '<Exposure name="noise" value="ou"/><Exposure', 1), encoding="utf-8")
    spec = RunSpec(
        folder=generated_folder(file),
        connectome=ALONE,
        duration=400.0,
        period=0.1,
        observe=("noise",),
        sweep={"b_e": [float(value) for value in range(16)]},
        threads=1,
    )
    noise = series_of(run(spec))[:, 0, 400::10].astype(np.float64)
    check_mean((noise**2).mean(axis=1), 5.0)
    check_mean(noise.mean(axis=1), 0.0)
    assert np.sqrt((noise**2).mean()) == pytest.approx(2.236, rel=0.01)


PROCESS = """<Lems name="process">
    <ComponentType name="derivatives">
        <Parameter name="tau" default="5"/>
        <Exposure name="x" value="x"/>
        <Dynamics><StateVariable name="x" initial="2"/></Dynamics>
    </ComponentType>
    <ComponentType name="noise">
        <Noise variable="x" type="ornstein_uhlenbeck" mu="0.5" tau="tau" sigma="1"/>
    </ComponentType>
</Lems>"""


@pytest.mark.parametrize("target", TARGETS)
def test_without_noise_a_process_goes_back_to_its_mean(target: str, tmp_path: Path) -> None:
    """Switching noise off takes the random part away and not the decay."""
    path = tmp_path / "process.xml"
    path.write_text(PROCESS, encoding="utf-8")
    result = ratemlx.simulate(
        path, duration=10.0, dt=0.1, period=0.1, noise=False, precision="float64", target=target, connectome="tvb:66"
    )
    steps = np.arange(1, 101)
    expected = 0.5 + 1.5 * np.exp(-0.1 * steps / 5)
    np.testing.assert_allclose(result.time_series.values[0, 0, :, 7], expected, rtol=1e-13)
