"""A point's series does not depend on its company: batches, threads, tiles, order. With noise, and to the bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.runtime import Result, RunSpec, run
from tests.support.shipped import series_of, shipped

COUNT = 37
SWEPT = {"adex": ("b_e", 0.0, 100.0), "kuramoto": ("sigma", 1e-3, 1e-1)}
MODELS = tuple(SWEPT)


def table(model: str) -> dict[str, NDArray[np.float64]]:
    name, low, high = SWEPT[model]
    generator = np.random.default_rng(2)
    return {
        "global_coupling": generator.uniform(0.1, 0.9, COUNT),
        name: generator.uniform(low, high, COUNT),
        "conduction_speed": generator.choice([3.0, 5.0], COUNT),
    }


@pytest.fixture(scope="module", params=MODELS)
def base(request: pytest.FixtureRequest) -> RunSpec:
    return shipped(request.param, samples=table(request.param), duration=12.0, seed=9, precision="float32")


@pytest.fixture(scope="module")
def whole(base: RunSpec) -> Result:
    return run(base)


@pytest.mark.parametrize("batch_size", [1, 7, 16, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_batches_and_threads(base: RunSpec, whole: Result, batch_size: int, threads: int) -> None:
    found = series_of(run(replace(base, batch_size=batch_size, threads=threads)))
    assert found.tobytes() == series_of(whole).tobytes()


@pytest.mark.parametrize("lanes", [4, 8, 32])
def test_lanes(base: RunSpec, whole: Result, lanes: int) -> None:
    assert series_of(run(replace(base, lanes=lanes))).tobytes() == series_of(whole).tobytes()


def test_order_and_number_of_points(base: RunSpec, whole: Result) -> None:
    order = np.random.default_rng(4).permutation(COUNT)[:29]
    columns: Any = base.samples
    found = series_of(run(replace(base, samples={name: values[order] for name, values in columns.items()})))
    assert found.tobytes() == series_of(whole)[order].tobytes()


def test_chunks_of_the_run_and_repetition(base: RunSpec, whole: Result) -> None:
    """A shorter run is the beginning of a longer one."""
    short = series_of(run(replace(base, duration=5.0)))
    assert short.tobytes() == series_of(whole)[:, :, :5].tobytes()


def test_noise_is_on_and_each_instance_has_its_own(base: RunSpec, whole: Result) -> None:
    assert np.abs(series_of(run(replace(base, noise=False))) - series_of(whole)).max() > 1e-6
    assert series_of(run(replace(base, seed=10))).tobytes() != series_of(whole).tobytes()


def test_emulated_cuda_is_bit_identical_too() -> None:
    base = shipped("montbrio", "cuda-emulation", sweep={"eta": (-6.0, -4.0, 11)}, duration=8.0, seed=9)
    whole = series_of(run(base)).tobytes()
    for changes in ({"batch_size": 1}, {"batch_size": 7, "threads": 2}, {"lanes": 64}):
        assert series_of(run(replace(base, **changes))).tobytes() == whole
