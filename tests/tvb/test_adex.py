"""AdEx as a TVB model: against TVB's own classes, and against transfer functions in 50-digit arithmetic."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tvb.simulation import Array, classes

pytestmark = pytest.mark.tvb

RATES, COVARIANCES, ADAPTATION = [0, 1], [2, 3, 4], [5, 6]
ORDERS = [
    ("adex", "ZerlautAdaptationSecondOrder", range(8)),
    ("adex_first_order", "ZerlautAdaptationFirstOrder", (0, 1, 5, 6, 7)),
]


@pytest.fixture(scope="module")
def states() -> Array:
    """Random states of 400 regions: E, I, C_ee, C_ei, C_ii, W_e, W_i, OU noise."""
    generator = np.random.default_rng(11)
    low = np.array([1e-3, 1e-3, 0.0, -1e-6, 0.0, 0.0, 0.0, -2.0])
    high = np.array([0.06, 0.08, 1e-5, 1e-6, 1e-5, 200.0, 20.0, 2.0])
    return generator.uniform(low, high, (400, 8)).T[:, :, np.newaxis]


@pytest.mark.parametrize(("name", "of_tvb", "kept"), ORDERS, ids=[name for name, *_ in ORDERS])
def test_equals_the_class_of_tvb(
    name: str, of_tvb: str, kept: Any, module: Callable[[str], ModuleType], states: Array
) -> None:
    """TVB takes central differences where the module has exact derivatives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tvb.simulator import models
    states = states[list(kept)]
    coupling = np.random.default_rng(5).uniform(0.0, 0.02, (1, states.shape[1], 1))
    own, theirs = classes(module(name), name)[0](), getattr(models, of_tvb)()
    for attribute in (*own.parameter_names, "P_e", "P_i"):
        if attribute.startswith("stimulus_"):
            continue
        setattr(theirs, attribute, getattr(own, attribute).astype(getattr(theirs, attribute).dtype))
    wanted = theirs.dfun(states.copy(), coupling.copy())
    found = own.dfun(states, coupling)
    size = np.maximum(np.abs(wanted), 1e-3 * np.abs(wanted).max(axis=1, keepdims=True))
    errors = (np.abs(found - wanted) / size).max(axis=(1, 2))
    print(name, [f"{error:.0e}" for error in errors])
    assert errors.max() <= 1e-6
    assert errors[[0, 1]].max() <= (1e-8 if name == "adex" else 1e-11)


@pytest.fixture(scope="module")
def points(reference: Path) -> Mapping[str, NDArray[Any]]:
    with np.load(reference / "adex" / "transfer_function.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def slopes(module: Callable[[str], ModuleType], points: Mapping[str, NDArray[Any]]) -> Callable[..., Array]:
    """Time derivatives, (state variable, point), of the form with consistent units, for given covariances.

    The points are as many regions, whose external inputs are attributes with one value per region.
    """
    model = classes(module("adex_eq2"), "adex_eq2")[0]()
    for population in ("ex", "in"):
        setattr(model, f"external_input_{population}_ex", points["fe_ext"][:, np.newaxis])
        setattr(model, f"external_input_{population}_in", points["fi_ext"])

    def of(c_ee: float = 0.0, c_ei: float = 0.0, c_ii: float = 0.0) -> Array:
        states = np.zeros((8, 1000, 1))
        states[RATES, :, 0] = points["fe"], points["fi"]
        states[ADAPTATION] = points["W"][:, np.newaxis]
        states[COVARIANCES] = np.reshape([c_ee, c_ei, c_ii], (3, 1, 1))
        return model.dfun(states, np.zeros((1, 1000, 1)))[:, :, 0] * model.T

    return of


@pytest.mark.parametrize(("population", "state", "rate"), [("e", 0, "fe"), ("i", 1, "fi")])
def test_transfer_functions_are_exact(
    population: str, state: int, rate: str, slopes: Callable[..., Array], points: Mapping[str, NDArray[Any]]
) -> None:
    wanted = points[f"{population}_F"]
    alone = slopes()[state]
    matters = wanted > 1e-4
    np.testing.assert_allclose((alone + points[rate])[matters], wanted[matters], rtol=1e-10)
    for covariance, factor, name in (("c_ee", 2.0, "fe2"), ("c_ei", 1.0, "fedfi"), ("c_ii", 2.0, "fi2")):
        second = factor * (slopes(**{covariance: 1.0})[state] - alone)
        exact = points[f"{population}_d2F_d{name}"]
        np.testing.assert_allclose(second[matters], exact[matters], rtol=1e-9, atol=1e-9 * np.abs(exact).max())
