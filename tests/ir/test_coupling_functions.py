"""Transfer functions that a coupling declares: what becomes of them, their units, and what a broken one breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ratemlx.errors import InternalError
from ratemlx.ir.model import Model
from ratemlx.ir.names import symbol
from ratemlx.ir.verify import verify
from ratemlx.transfer.base import Result
from tests.ir.texts import build, faults, model_text
from tests.support.coupling_functions import TEXT

SPEED = 'unit="mV/ms"'
FUNCTION = (
    '<TransferFunction name="S" plugin="sigmoid"><Argument name="x" value="x_j"/>'
    '<Coefficient name="amplitude" value="top"/><Coefficient name="midpoint" value="v0"/>'
    '<Coefficient name="slope" value="1 / {0}"/></TransferFunction>'
)
COUPLING = (
    '<ComponentType name="coupling_one"><Parameter name="x_j" source="x"/><DerivedParameter name="c"/>{0}'
    '<Dynamics><DerivedVariable name="pre" value="{1}"/></Dynamics></ComponentType>'
)


def with_units(pre: str, slope: str = "v0") -> str:
    """A model in mV whose coupling has a sigmoid."""
    return model_text(
        f'<Constant name="top" value="2" {SPEED}/><Constant name="v0" value="6" unit="mV"/>',
        state='<StateVariable name="x" initial="0" unit="mV"/>',
        dynamics='<TimeDerivative variable="x" value="c"/>',
        components=COUPLING.format(FUNCTION.format(slope), pre),
    )


@pytest.fixture
def model() -> Model:
    return build(TEXT)


def test_a_coupling_has_its_functions_in_order(model: Model) -> None:
    verify(model)
    assert model.warnings == ()
    assert [use.name for use in model.transfer_uses] == ["rate", "inner", "outer", "between", "steepness"]
    functions = {item.name: item.transfer_functions for item in model.couplings}
    assert functions == {
        "c_far": ("inner", "outer"),
        "c_near": ("between",),
        "c_twice": ("between",),
        "c_slope": ("steepness",),
    }
    far, near = model.couplings[:2]
    assert far.pre == symbol("outer") + symbol("inner") * symbol("x_j")
    assert near.pre == symbol("between") * Result("between", "", ("x",)).symbol
    assert dict(model.uses_of(near)[0].arguments) == {"x": symbol("x_j") - symbol("y")}


def test_they_can_be_evaluated(model: Model) -> None:
    assert model.transfer_functions["between"].evaluate(x=0.0)["F"] == 0.5
    assert model.transfer_functions["between"].derivative("x", x=0.0) == 0.5


def test_units_follow_from_what_is_bound() -> None:
    assert build(with_units("S")).warnings == ()
    assert build(with_units("diff(S, x) * x_j")).warnings == ()


def test_units_that_do_not_fit_are_reported_once() -> None:
    message = "the time derivative of 'x' should be in mV/ms, but this is in mV^2/ms"
    assert faults(with_units("S * x_j")) == [(message, "c", None)]
    message = "with these units, 'bend' of the transfer function 'sigmoid' has mV/s in tanh"
    assert [item[0] for item in faults(with_units("S", "top"))] == [message.replace("mV/s", "ms")]


def test_a_broken_model_is_found(model: Model) -> None:
    far, *others = model.couplings
    nameless = replace(model, couplings=(replace(far, transfer_functions=("inner",)), *others))
    with pytest.raises(InternalError, match="pre of c_far uses 'outer'"):
        verify(nameless)
    unknown = replace(model, couplings=(replace(far, transfer_functions=("inner", "outer", "none")), *others))
    with pytest.raises(InternalError, match="the transfer functions of 'c_far'"):
        verify(unknown)
    elsewhere = replace(model, time_derivatives=(("x", symbol("inner")), *model.time_derivatives[1:]))
    with pytest.raises(InternalError, match="time derivative of x uses 'inner'"):
        verify(elsewhere)
