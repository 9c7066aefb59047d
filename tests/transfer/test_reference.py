"""Zerlaut's transfer function against 50-digit arithmetic: values, statistics and all five derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.ir.bound import BoundTransferFunction
from ratemlx.load import load
from ratemlx.transfer.evaluate import evaluate

DERIVATIVES: dict[str, tuple[str, ...]] = {
    "dF_dfe": ("nu_e",),
    "dF_dfi": ("nu_i",),
    "d2F_dfe2": ("nu_e", "nu_e"),
    "d2F_dfedfi": ("nu_i", "nu_e"),
    "d2F_dfi2": ("nu_i", "nu_i"),
}
STATISTICS = ("mu_V", "sigma_V", "T_V", "V_thre")
CASES = [("e", ""), ("i", ""), ("i", "_W0")]

Arrays = Mapping[str, NDArray[Any]]


@pytest.fixture(scope="module")
def points(reference: Path) -> Arrays:
    with np.load(reference / "adex" / "transfer_function.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def bound() -> dict[str, BoundTransferFunction]:
    return load("adex").transfer_functions


def _arguments(points: Arrays, suffix: str) -> dict[str, NDArray[Any]]:
    adaptation = points["W"] if not suffix else np.zeros_like(points["W"])
    names = {"nu_e": "fe", "nu_i": "fi", "nu_e_ext": "fe_ext", "nu_i_ext": "fi_ext"}
    return {**{name: points[given] for name, given in names.items()}, "W": adaptation}


def _errors(found: NDArray[Any], points: Arrays, name: str, rate: str) -> NDArray[Any]:
    """Relative errors where the rate is large enough for them to mean something."""
    meaningful = points[rate] > 1e-4
    exact = points[name][meaningful]
    errors: NDArray[Any] = np.abs(found[meaningful] - exact) / np.abs(exact)
    return errors


@pytest.mark.parametrize(("population", "suffix"), CASES)
def test_values_and_statistics(
    population: str, suffix: str, points: Arrays, bound: dict[str, BoundTransferFunction]
) -> None:
    found = bound[f"F_{population}"].evaluate(**_arguments(points, suffix))
    assert list(found) == ["F", *STATISTICS]
    for name, values in found.items():
        errors = _errors(values, points, f"{population}_{name}{suffix}", f"{population}_F{suffix}")
        assert errors.max() < 1e-12, name


@pytest.mark.parametrize(("population", "suffix"), CASES)
def test_derivatives(population: str, suffix: str, points: Arrays, bound: dict[str, BoundTransferFunction]) -> None:
    arguments = _arguments(points, suffix)
    for name, by in DERIVATIVES.items():
        found = bound[f"F_{population}"].derivative(*by, **arguments)
        errors = _errors(found, points, f"{population}_{name}{suffix}", f"{population}_F{suffix}")
        assert errors.max() < 1e-10, name


@pytest.mark.parametrize(("population", "suffix"), CASES)
def test_single_precision(
    population: str, suffix: str, points: Arrays, bound: dict[str, BoundTransferFunction]
) -> None:
    use = bound[f"F_{population}"]
    requests = {name: ("F", by) for name, by in {"F": (), **DERIVATIVES}.items()}
    values = {**use.coefficients, **_arguments(points, suffix)}
    found = evaluate(use.function, values, requests.values(), np.float32)
    for name, request in requests.items():
        assert found[request].dtype == np.float32
        errors = _errors(found[request], points, f"{population}_{name}{suffix}", f"{population}_F{suffix}")
        assert np.median(errors) < 3e-6, name
