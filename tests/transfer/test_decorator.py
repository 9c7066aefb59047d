"""Transfer functions written in Python: what a plugin gets, and how its mistakes are reported."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

from ratemlx.errors import PluginError
from ratemlx.transfer import Argument, Coefficient, TransferFunction, transfer_function
from ratemlx.transfer.check import check_function
from ratemlx.transfer.decorator import Let
from ratemlx.transfer.evaluate import evaluate

x, y = sp.symbols("x y", real=True)


@transfer_function(arguments=["x", "y"], coefficients=[Coefficient("P", size=2), "k"], outputs={"F": "kHz", "q": ""})
def quadratic(let: Let, x: sp.Symbol, y: sp.Symbol, P: tuple[sp.Symbol, ...], k: sp.Symbol) -> None:
    """A quadratic function.

    Not much to say.
    """
    q = let("q", P[0] * x + P[1] * y)
    let("F", k * q**2)


def test_what_the_decorator_makes() -> None:
    assert isinstance(quadratic, TransferFunction)
    assert quadratic.name == "quadratic"
    assert quadratic.description == "A quadratic function."
    assert quadratic.arguments == (Argument("x"), Argument("y"))
    assert [name for name, _ in quadratic.statements] == ["q", "F"]
    assert quadratic.outputs == (("F", "kHz"), ("q", ""))


def test_values_and_derivatives() -> None:
    values = {"x": [1.0, 2.0], "y": 3.0, "P": (2.0, -1.0), "k": 5.0}
    requests: list[tuple[str, tuple[str, ...]]] = [
        ("F", ()),
        ("q", ()),
        ("F", ("y",)),
        ("F", ("y", "x")),
        ("q", ("x",)),
    ]
    found = evaluate(quadratic, values, requests)
    assert {request: found[request].tolist() for request in requests} == {
        ("F", ()): [5.0, 5.0],
        ("q", ()): [-1.0, 1.0],
        ("F", ("y",)): [10.0, -10.0],
        ("F", ("y", "x")): [-20.0, -20.0],
        ("q", ("x",)): [2.0, 2.0],
    }


def test_elements_of_a_vector_can_be_given_one_by_one() -> None:
    values = {"x": np.array([1.0]), "y": 1.0, "P[0]": 1.0, "P[1]": 2.0, "k": 1.0}
    assert evaluate(quadratic, values, [("F", ())])["F", ()].tolist() == [9.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"x": 1.0}, "transfer function 'quadratic' needs a value of 'y'"),
        ({"x": 1.0, "y": 1.0, "P": 1.0, "k": 1.0}, "transfer function 'quadratic' needs 2 value(s) of 'P'"),
        (
            {"x": 1.0, "y": 1.0, "P": (1.0, 2.0), "k": 1.0, "z": 0.0},
            "transfer function 'quadratic' has no argument or coefficient 'z'",
        ),
    ],
)
def test_values_that_are_missing_or_unknown(values: dict[str, float], message: str) -> None:
    with pytest.raises(PluginError) as caught:
        evaluate(quadratic, values, [("F", ())])
    assert caught.value.message == message


def _function(
    statements: tuple[tuple[str, sp.Expr], ...] = (("F", x),),
    coefficients: tuple[Coefficient, ...] = (),
    outputs: tuple[tuple[str, str], ...] = (("F", ""),),
    name: str = "f",
) -> TransferFunction:
    return TransferFunction(name, (Argument("x"),), coefficients, statements, outputs)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_function((("F", y),)), "statement 'F' uses 'y', which nothing before it defines"),
        (_function((("F", sp.Symbol("x")),)), "statement 'F' uses 'x', which is not declared real"),
        (_function((("x", x), ("F", x))), "the name 'x' is used twice"),
        (_function(outputs=(("G", ""),)), "the output 'G' is not the name of a statement"),
        (_function(outputs=()), "it has no output"),
        (_function(name="a b"), "'a b' is no name"),
        (
            _function(coefficients=(Coefficient("P", default=(1.0, 2.0), size=3),)),
            "the default of coefficient 'P' has the wrong size or is not finite",
        ),
        (
            _function(coefficients=(Coefficient("k", default=float("nan")),)),
            "the default of coefficient 'k' has the wrong size or is not finite",
        ),
    ],
)
def test_a_function_that_breaks_its_promises(function: TransferFunction, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        check_function(function, "here")
    assert caught.value.message == f"transfer function '{function.name}' (here): {message}"


def test_parameters_must_be_those_declared() -> None:
    def body(let: Let, x: sp.Symbol) -> None:
        let("F", x)

    decorate: Callable[..., TransferFunction] = transfer_function(arguments=["x", "y"], outputs={"F": ""})
    with pytest.raises(PluginError) as caught:
        decorate(body)
    assert caught.value.message == "transfer function 'body': its parameters are let, x"
    assert caught.value.hint == "write def body(let, x, y)"
