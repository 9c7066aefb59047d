"""A point's series does not depend on its company: batches, threads, order, and so the lanes beside it. With noise.

Within one build this holds to the bit. tvb:76 has connections of length zero from regions to themselves, which kernels
add in every step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.runtime import Result, RunSpec, run
from tests.support.shipped import series_of, shipped


@dataclass(frozen=True)
class Case:
    """A sweep of `count` points over the coupling, one parameter's range, and conduction speeds."""

    model: str
    swept: tuple[str, float, float]
    count: int
    settings: dict[str, Any] = field(default_factory=dict)

    def spec(self) -> RunSpec:
        """Runs of 12 ms, two speeds."""
        name, low, high = self.swept
        generator = np.random.default_rng(2)
        samples = {
            "global_coupling": generator.uniform(0.1, 0.9, self.count),
            name: generator.uniform(low, high, self.count),
            "conduction_speed": generator.choice([3.0, 5.0], self.count),
        }
        return shipped(self.model, **{"samples": samples, "duration": 12.0, "seed": 9} | self.settings)


CASES = {
    "adex": Case("adex", ("b_e", 0.0, 100.0), 37),
    "adex-own-edges-float64-heun": Case(
        "adex",
        ("b_e", 0.0, 100.0),
        21,
        {"connectome": "tvb:76", "precision": "float64", "integrator": "heun", "duration": 6.0},
    ),
    "adex_eq2": Case("adex_eq2", ("b_e", 0.0, 100.0), 37, {"duration": 6.0}),
    "kuramoto": Case("kuramoto", ("sigma", 1e-3, 1e-1), 131),
    "kuramoto-own-edges-float64": Case(
        "kuramoto", ("sigma", 1e-3, 1e-1), 37, {"connectome": "tvb:76", "precision": "float64", "integrator": "heun"}
    ),
    "montbrio-own-edges": Case("montbrio", ("eta", -6.0, -4.0), 260, {"connectome": "tvb:76"}),
}
"""Of 131 and 260 points, each speed has more than four tiles of 16 lanes; of 260, also more than a batch of 100."""


@pytest.fixture(scope="module", params=CASES)
def base(request: pytest.FixtureRequest) -> RunSpec:
    return CASES[request.param].spec()


@pytest.fixture(scope="module")
def whole(base: RunSpec) -> Result:
    return run(base)


def points_of(base: RunSpec) -> dict[str, NDArray[np.float64]]:
    columns: Any = base.samples
    return dict(columns)


def test_more_than_one_full_batch_of_a_speed() -> None:
    """So that batches of 100 are cut in the middle of a speed, too."""
    largest = points_of(CASES["montbrio-own-edges"].spec())["conduction_speed"]
    assert all(100 < np.count_nonzero(largest == speed) < 200 for speed in (3.0, 5.0))


@pytest.mark.parametrize("batch_size", [1, 7, 16, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_batches_and_threads(base: RunSpec, whole: Result, batch_size: int, threads: int) -> None:
    found = series_of(run(replace(base, batch_size=batch_size, threads=threads)))
    assert found.tobytes() == series_of(whole).tobytes()


@pytest.mark.parametrize(
    ("base", "lanes"),
    [("adex", 4), ("adex", 32), ("kuramoto", 8), ("kuramoto-own-edges-float64", 4), ("montbrio-own-edges", 32)],
    indirect=["base"],
)
def test_other_lanes(base: RunSpec, whole: Result, lanes: int) -> None:
    """They are another build, for which a compiler may choose other fused operations: equal within rounding."""
    wanted = series_of(whole)
    found = series_of(run(replace(base, lanes=lanes)))
    bound = 1e-6 if base.precision == "float32" else 1e-14
    assert np.abs(found - wanted).max() <= bound * np.abs(wanted).max()


def test_order_and_number_of_points(base: RunSpec, whole: Result) -> None:
    columns = points_of(base)
    count = len(columns["global_coupling"])
    order = np.random.default_rng(4).permutation(count)[: count - 8]
    found = series_of(run(replace(base, samples={name: values[order] for name, values in columns.items()})))
    assert found.tobytes() == series_of(whole)[order].tobytes()


def test_chunks_of_the_run_and_repetition(base: RunSpec, whole: Result) -> None:
    """A shorter run is the beginning of a longer one."""
    short = series_of(run(replace(base, duration=5.0)))
    assert short.tobytes() == series_of(whole)[:, :, :5].tobytes()


def test_noise_is_on_and_each_instance_has_its_own(base: RunSpec, whole: Result) -> None:
    assert np.abs(series_of(run(replace(base, noise=False))) - series_of(whole)).max() > 1e-6
    assert series_of(run(replace(base, seed=10))).tobytes() != series_of(whole).tobytes()


@pytest.mark.parametrize(
    "settings",
    [{}, {"connectome": "tvb:76", "precision": "float64", "integrator": "heun"}],
    ids=["float32-euler", "own-edges-float64-heun"],
)
def test_emulated_cuda_is_bit_identical_too(settings: dict[str, Any]) -> None:
    base = shipped(
        "montbrio", "cuda-emulation", **{"sweep": {"eta": (-6.0, -4.0, 11)}, "duration": 8.0, "seed": 9} | settings
    )
    whole = series_of(run(base)).tobytes()
    for changes in ({"batch_size": 1}, {"batch_size": 7, "threads": 2}, {"lanes": 64}):
        assert series_of(run(replace(base, **changes))).tobytes() == whole
