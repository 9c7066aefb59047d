"""Zerlaut's transfer functions, compiled, against 50-digit values and derivatives at 1,000 points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.shipped import TARGETS
from tests.support.transfer_network import RESULTS, evaluate, transfer_model

Record = Callable[[str, float], None]
Columns = dict[str, NDArray[np.float64]]
STEP = 1e-7
"""The step of the difference quotients that other implementations use, kHz."""


@pytest.fixture(scope="module")
def data(reference: Path) -> Columns:
    with np.load(reference / "adex" / "transfer_function.npz") as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return transfer_model(tmp_path_factory.mktemp("transfer"))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_values_and_derivatives(precision: str, target: str, model: Path, data: Columns, record: Record) -> None:
    """Where F > 1e-4 kHz: the worst relative error in float64, the median in float32."""
    found = evaluate(model, data, target, precision)
    for population in "ei":
        active = data[f"{population}_F"] > 1e-4
        for result in RESULTS:
            name = f"{population}_{result}"
            wanted = data[name][active]
            errors = np.abs(found[name][active] / wanted - 1)
            error, bound = (errors.max(), 1e-10) if precision == "float64" else (np.median(errors), 3e-6)
            record(f"relative, {name}", error)
            assert error <= bound, name


def test_second_derivatives_in_float32_are_no_noise(model: Path, data: Columns, record: Record) -> None:
    """Difference quotients of float32 values have the wrong sign at half of all points; ours almost nowhere."""
    active = data["e_F"] > 1e-4
    wanted = data["e_d2F_dfe2"][active]

    def at(shift: float) -> Columns:
        return evaluate(model, data | {"fe": data["fe"] + shift}, "cpu", "float32")

    below, here, above = at(-STEP), at(0.0), at(STEP)
    quotient = ((above["e_F"] - 2 * here["e_F"] + below["e_F"]) / STEP**2)[active]
    analytic = here["e_d2F_dfe2"][active]
    wrong = {name: float((np.sign(x) != np.sign(wanted)).mean()) for name, x in (("q", quotient), ("a", analytic))}
    median = {name: float(np.median(np.abs(x / wanted - 1))) for name, x in (("q", quotient), ("a", analytic))}
    record("of points with the wrong sign, differences", wrong["q"])
    record("of points with the wrong sign, analytic", wrong["a"])
    record("relative, median, differences", median["q"])
    assert wrong["q"] > 0.4
    assert wrong["a"] <= 0.002
    assert median["q"] > 100
    assert median["a"] <= 3e-6
