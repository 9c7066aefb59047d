"""The verifier finds every kind of broken model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.ir.model import Model
from ratemlx.ir.names import symbol
from ratemlx.ir.verify import verify
from ratemlx.load import load

NOWHERE = symbol("nowhere")


def _first_derivative(model: Model, expression: sp.Expr) -> Model:
    (name, _), *others = model.time_derivatives
    return replace(model, time_derivatives=((name, expression), *others))


BROKEN: list[tuple[str, Callable[[Model], Model], str]] = [
    ("unknown symbol", lambda m: _first_derivative(m, NOWHERE), "time derivative of E uses 'nowhere'"),
    ("complex symbol", lambda m: _first_derivative(m, sp.Symbol("E")), "'E' in time derivative of E is not real"),
    ("no value", lambda m: _first_derivative(m, sp.nan), "time derivative of E has no real value"),
    (
        "missing derivative",
        lambda m: replace(m, time_derivatives=m.time_derivatives[1:]),
        "time derivatives are not those of the state variables in their order",
    ),
    ("repeated name", lambda m: replace(m, constants=m.constants * 2), "the name 'g_L' occurs twice"),
    ("repeated exposure", lambda m: replace(m, exposures=m.exposures * 2), "an exposure occurs twice"),
    (
        "order",
        lambda m: replace(m, derived_parameters=(replace(m.derived_parameters[0], expression=symbol("N_i")),)),
        "N_e uses 'N_i'",
    ),
    (
        "speed in an expression",
        lambda m: _first_derivative(m, symbol("conduction_speed")),
        "time derivative of E uses 'conduction_speed'",
    ),
    (
        "infinite constant",
        lambda m: replace(m, constants=(replace(m.constants[0], value=float("inf")),)),
        "the value of 'g_L'",
    ),
    (
        "start outside bounds",
        lambda m: replace(m, state_variables=(replace(m.state_variables[0], initial=(-1.0, 0.0)),)),
        "the start of 'E'",
    ),
    (
        "unbound argument",
        lambda m: replace(m, transfer_uses=(replace(m.transfer_uses[0], arguments=()),)),
        "'F_e'",
    ),
    (
        "circular transfer function",
        lambda m: replace(m, transfer_uses=(replace(m.transfer_uses[0], arguments=(("nu_e", symbol("F_e")),)),)),
        "transfer functions F_e use what is not there",
    ),
    (
        "state in a coefficient",
        lambda m: replace(
            m,
            transfer_uses=(
                replace(
                    m.transfer_uses[0],
                    coefficients=(("g_L", symbol("E")), *m.transfer_uses[0].coefficients[1:]),
                ),
                m.transfer_uses[1],
            ),
        ),
        "coefficient g_L of F_e uses 'E'",
    ),
    (
        "source",
        lambda m: replace(m, couplings=(replace(m.couplings[0], sources=(("E_j", "nowhere"),)),)),
        "the sources of 'c_pop0'",
    ),
    (
        "noise",
        lambda m: replace(m, noises=(replace(m.noises[0], sigma=symbol("E")),)),
        "noise on ou uses 'E'",
    ),
]


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_model_is_our_own_fault(change: Callable[[Model], Model], message: str) -> None:
    with pytest.raises(InternalError) as caught:
        verify(change(load("adex")))
    assert caught.value.args == (f"the model is broken: {message}",)
