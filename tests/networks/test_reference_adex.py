"""AdEx networks against independent simulations: every point, region and millisecond of 2,000 ms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.shipped import points, simulated

FILES = {"adex": "network_second_order.npz", "adex_first_order": "network_first_order.npz"}
DURATION = 2000.0
Record = Callable[[str, float], None]


@dataclass(frozen=True)
class Expected:
    """Points as columns, and E and I of shape (point, exposure, ms, region)."""

    columns: dict[str, list[float]]
    series: NDArray[np.float64]


@pytest.fixture(scope="module")
def expected(reference: Path) -> Callable[[str], Expected]:
    @cache
    def load(model: str) -> Expected:
        with np.load(reference / "adex" / FILES[model]) as data:
            return Expected(points(data["param_names"], data["params"]), np.stack([data["E"], data["I"]], axis=1))

    return load


def errors(model: str, precision: str, wanted: Expected) -> NDArray[np.float64]:
    found = simulated(
        model,
        samples=wanted.columns,
        initial={"W_e": 100.0},
        duration=DURATION,
        dt=0.1,
        period=1.0,
        noise=False,
        precision=precision,
        observe=("E", "I"),
    )
    assert found.shape == wanted.series.shape
    return np.abs(found.astype(np.float64) - wanted.series)


@pytest.mark.parametrize("model", FILES)
def test_float64_equals_the_reference(model: str, expected: Callable[[str], Expected], record: Record) -> None:
    worst = errors(model, "float64", expected(model)).max()
    record("kHz", worst)
    assert worst <= 1e-8


@pytest.mark.parametrize("model", FILES)
def test_float32_is_near_the_reference(model: str, expected: Callable[[str], Expected], record: Record) -> None:
    worst = errors(model, "float32", expected(model)).max()
    record("kHz", worst)
    assert worst <= 2e-4


def test_the_bound_tells_the_two_orders_apart(expected: Callable[[str], Expected]) -> None:
    """With tvb-library's factors, the second order moves rates by little; but by more than float64's bound."""
    first, second = expected("adex_first_order"), expected("adex")
    points_of_second = list(zip(*second.columns.values(), strict=True))
    shared = [
        (i, points_of_second.index(point))
        for i, point in enumerate(zip(*first.columns.values(), strict=True))
        if point in points_of_second
    ]
    assert shared
    for i, j in shared:
        assert np.abs(first.series[i] - second.series[j]).max() > 5e-8
