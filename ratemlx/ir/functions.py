"""The closed list of functions of the expression language: arity, value, SymPy form, and what units they take.

A function is added here and in the printers of the targets, nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import sympy as sp

Units = Literal["dimensionless", "same", "root", "sign", "select"]


@dataclass(frozen=True)
class Function:
    """A function: how many arguments it takes, how it is computed, and how units go through it.

    `units` is "dimensionless" (pure numbers in and out), "same" (all arguments and the value share a unit), "root"
    (the square root of the unit), "sign" (any unit in, a pure number out), or "select" (a condition, then "same").
    """

    name: str
    usage: str
    least: int
    most: int
    evaluate: Callable[..., float]
    build: Callable[..., sp.Expr]
    units: Units = "dimensionless"


def _heaviside(x: sp.Expr) -> sp.Expr:
    return sp.Piecewise((1, x >= 0), (0, True))


def _where(condition: sp.Expr, one: sp.Expr, other: sp.Expr) -> sp.Expr:
    return sp.Piecewise((one, condition), (other, True))


MANY = 8
_LIST = (
    *(
        Function(name, f"{name}(x)", 1, 1, getattr(math, name), getattr(sp, name))
        for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc")
    ),
    Function("sqrt", "sqrt(x)", 1, 1, math.sqrt, sp.sqrt, "root"),
    Function("abs", "abs(x)", 1, 1, abs, sp.Abs, "same"),
    Function("ceil", "ceil(x)", 1, 1, math.ceil, sp.ceiling, "same"),
    Function("floor", "floor(x)", 1, 1, math.floor, sp.floor, "same"),
    Function("min", "min(a, b, ...)", 2, MANY, min, sp.Min, "same"),
    Function("max", "max(a, b, ...)", 2, MANY, max, sp.Max, "same"),
    Function("heaviside", "heaviside(x)", 1, 1, lambda x: float(x >= 0), _heaviside, "sign"),
    Function("where", "where(condition, a, b)", 3, 3, lambda test, a, b: a if test else b, _where, "select"),
)
FUNCTIONS = {function.name: function for function in _LIST}

INSTEAD = {
    "pow": "write x ^ y",
    "power": "write x ^ y",
    "powf": "write x ^ y",
    "ln": "the natural logarithm is log(x)",
    "log10": "write log(x) / log(10)",
    "log2": "write log(x) / log(2)",
    "fabs": "write abs(x)",
    "fmin": "write min(a, b)",
    "fmax": "write max(a, b)",
    "square": "write x ^ 2",
    "sign": "write where(x > 0, 1, where(x < 0, -1, 0))",
    "sigmoid": "write 1 / (1 + exp(-x)), or use the transfer function 'sigmoid'",
    "Heaviside": "write heaviside(x)",
    "if": "write where(condition, a, b)",
    "clip": "write min(max(x, low), high)",
}
