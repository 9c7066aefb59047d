"""The C++ kernel and the CUDA kernel, emulated on the host, give the same numbers but for rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ratemlx.runtime import load_connectome
from tests.support.shipped import MODELS, brain, simulated, small_connectome

Record = Callable[[str, float], None]

STARTS = {
    "adex": {"E": 0.005, "I": 0.01, "W_e": 80.0},
    "adex_first_order": {"E": 0.005, "I": 0.01, "W_e": 80.0},
    "adex_eq2": {"W_e": 100.0},  # no transient, in which this model amplifies rounding beyond any bound
}
POINTS = {
    "adex": {"b_e": [0.0, 30.0, 60.0]},
    "adex_first_order": {"b_e": [0.0, 30.0, 60.0]},
    "adex_eq2": {"b_e": [0.0, 30.0, 60.0]},
    "montbrio": {"eta": [-5.0, -4.0, -6.0]},
    "kuramoto": {"sigma": [1e-3, 1e-2, 1e-1]},
}
BOUNDS = {"float32": 2e-5, "float64": 1e-13}
"""Of each exposure's range, over 10 ms."""


def settings(model: str, **changes: Any) -> dict[str, Any]:
    return {
        "samples": POINTS[model] | {"global_coupling": [0.3, 0.5, 0.7]},
        "initial": STARTS.get(model, {}),
        "duration": 10.0,
        "seed": 5,
        "connectome": load_connectome("tvb:68"),
    } | changes


def difference(model: str, chosen: dict[str, Any]) -> float:
    """The largest difference of an exposure, relative to its range."""
    on_cpu, emulated = (simulated(model, target, **chosen) for target in ("cpu", "cuda-emulation"))
    assert np.isfinite(on_cpu).all()
    axes = (0, 2, 3)
    return float((np.abs(on_cpu - emulated).max(axis=axes) / np.ptp(on_cpu, axis=axes)).max())


@pytest.mark.parametrize("integrator", ["euler", "heun", "rk4"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("model", MODELS)
def test_with_noise(model: str, precision: str, integrator: str, record: Record) -> None:
    error = difference(model, settings(model, precision=precision, integrator=integrator))
    record("of the range", error)
    assert error <= BOUNDS[precision]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("model", ["adex", "montbrio"])
def test_without_noise(model: str, precision: str) -> None:
    assert difference(model, settings(model, precision=precision, noise=False)) <= BOUNDS[precision]


@pytest.mark.parametrize("model", ["montbrio", "kuramoto"])
@pytest.mark.parametrize(
    ("regions", "shortest", "instances"),
    [(1, 5.0, 1), (2, 2.5, 3), (5, 1.0, 33), (9, 0.4, 17), (7, 0.0, 40)],
    ids=["1-region", "block-8", "block-4", "block-2", "no-delay"],
)
def test_small_networks_and_odd_numbers_of_instances(model: str, regions: int, shortest: float, instances: int) -> None:
    table = {"global_coupling": np.linspace(0.1, 0.9, instances).tolist()}
    connectome = small_connectome(regions, shortest, max(30.0 * bool(shortest), shortest))
    chosen = settings(model, samples=table, connectome=connectome, duration=5.0, precision="float64")
    assert difference(model, chosen) <= 1e-12


def test_a_part_of_the_brain_with_isolated_regions() -> None:
    """Two regions of the connectome keep their delays and lose most tracts."""
    assert difference("adex_first_order", settings("adex_first_order", connectome=brain(2))) <= BOUNDS["float32"]


def test_common_noise() -> None:
    chosen = settings("montbrio", common_noise=True, precision="float64")
    assert difference("montbrio", chosen) <= 1e-12
