"""Units through the statements of transfer functions that leave them open."""

from __future__ import annotations

import pytest

from ratemlx.ir.infer_transfer_units import infer_outputs
from ratemlx.ir.units import Unit, parse_unit
from ratemlx.transfer.registry import builtin_registry
from tests.ir.texts import faults, model_text

SIGMOID = {"x": "mV", "slope": "1/mV", "midpoint": "mV", "amplitude": "kHz"}
WONG_WANG = {"x": "nA", "a": "1/nC", "b": "Hz", "d": "s"}


def infer(name: str, units: dict[str, str | None]) -> tuple[str | None, list[str]]:
    found: list[str] = []
    inputs: dict[str, Unit | None] = {key: parse_unit(unit) if unit else None for key, unit in units.items()}
    unit = infer_outputs(builtin_registry().get(name), inputs, found.append)["F"]
    return (str(unit) if unit else None), found


@pytest.mark.parametrize(
    ("name", "units", "unit"),
    [
        ("sigmoid", SIGMOID, "kHz"),
        ("sigmoid", {**SIGMOID, "slope": None, "midpoint": None}, "kHz"),
        ("sigmoid", {**SIGMOID, "amplitude": None}, None),
        ("wong_wang", WONG_WANG, "1/s"),
        ("wong_wang", {"x": "1", "a": "kHz", "b": "1/ms", "d": "ms"}, "1/ms"),
    ],
)
def test_inferred(name: str, units: dict[str, str | None], unit: str | None) -> None:
    assert infer(name, units) == (unit, [])


def test_reported() -> None:
    assert infer("sigmoid", {**SIGMOID, "midpoint": "V"})[1] == [
        "with these units, 'bend' of the transfer function 'sigmoid' combines V with mV"
    ]
    assert infer("sigmoid", {**SIGMOID, "slope": "mV"})[1] == [
        "with these units, 'bend' of the transfer function 'sigmoid' has mV^2 in tanh"
    ]


def test_a_model_with_units_is_checked_through_an_open_function() -> None:
    xml = model_text(
        '<Constant name="top" value="1" unit="kHz"/><Constant name="s" value="1" unit="1/mV"/>'
        '<TransferFunction name="F" plugin="sigmoid"><Argument name="x" value="x"/>'
        '<Coefficient name="amplitude" value="top"/><Coefficient name="slope" value="s"/></TransferFunction>',
        state='<StateVariable name="x" initial="0" unit="mV"/>',
        dynamics='<TimeDerivative variable="x" value="F"/>',
    ).replace('<Exposure name="x" value="x"/>', '<Exposure name="x" value="x" unit="mV"/>')
    assert faults(xml) == [("the time derivative of 'x' should be in mV/ms, but this is in kHz", "F", None)]
