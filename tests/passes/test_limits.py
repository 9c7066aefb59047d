"""Models that would keep the passes busy for hours are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.errors import RatemlxError
from ratemlx.load import load
from ratemlx.passes.pipeline import run_until
from ratemlx.targets import render
from tests.support.timing import seconds_of

FRAME = """<Lems name="large"><ComponentType name="derivatives"><Parameter name="a" default="1"/>{exposures}
<Dynamics><StateVariable name="x" initial="0.1"/><DerivedVariable name="d0" value="x"/>{variables}
<TimeDerivative variable="x" value="d{last}"/></Dynamics></ComponentType>{more}</Lems>"""


def model_with(tmp_path: Path, formula: str, count: int, exposures: int = 1, more: str = "") -> Path:
    variables = "".join(
        f'<DerivedVariable name="d{place}" value="{formula.format(before=f"d{place - 1}", place=place)}"/>'
        for place in range(1, count + 1)
    )
    observed = "".join(f'<Exposure name="e{place}" value="x * {place + 1}"/>' for place in range(exposures))
    path = tmp_path / "large.xml"
    path.write_text(FRAME.format(variables=variables, last=count, exposures=observed, more=more), encoding="utf-8")
    return path


def test_too_many_choices_are_refused(tmp_path: Path) -> None:
    formula = "where({before} > 0, exp({before}) * {before}^63, min({before}, x, {place}, a))"
    model = load(model_with(tmp_path, formula, 150))

    def refuse() -> None:
        with pytest.raises(RatemlxError, match=r"large has 300 choices .* at most 200"):
            run_until(model, "lower")

    assert seconds_of(refuse) < 1


def test_too_many_operations_are_refused(tmp_path: Path) -> None:
    formula = " + ".join(f"{{before}} * sin({place} * x)" for place in range(100))
    with pytest.raises(RatemlxError, match="operations in a step; at most 20,000"):
        run_until(load(model_with(tmp_path, formula, 100)), "lower")


def test_what_is_allowed_is_done_in_seconds(tmp_path: Path) -> None:
    formula = "where({before} > 0, exp({before}) * {before}^63, min({before}, x, {place}, a))"
    model = load(model_with(tmp_path, formula, 95))
    assert seconds_of(lambda: run_until(model, "lower"), 20) < 20


def test_a_kernel_has_room_for_64_exposures(tmp_path: Path) -> None:
    assert "0xffffffffffffffffull" in render(load(model_with(tmp_path, "{before} + 1", 1, 64)), "cpp")["large.cpp"]
    with pytest.raises(RatemlxError, match="65 exposures; a kernel has room for 64"):
        render(load(model_with(tmp_path, "{before} + 1", 1, 65)), "cpp")
