"""Partial derivatives of a single statement by what it reads directly.

Knows SymPy only: nothing of transfer functions, nor of how statements hang together.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

Reach = tuple[sp.Symbol, sp.Symbol, sp.Expr]
"""A direct input of a statement, the symbol it is affine in (often itself), and its slope."""


def real_symbol(name: str) -> sp.Symbol:
    """The symbol of a name, as statements use it."""
    return sp.Symbol(name, real=True)


def short_name(name: str) -> str:
    """A name without the name of the function's use before it."""
    return name.rpartition(".")[2]


def partial(expression: sp.Expr, inputs: Sequence[Reach], base: sp.Symbol) -> sp.Expr:
    """Partial derivative by a base, through every input that is affine in it."""
    return sp.Add(*(slope * partial_derivative(expression, name) for name, its, slope in inputs if its == base))


def in_own_value(derivative: sp.Expr, expression: sp.Expr, value: sp.Symbol) -> sp.Expr:
    """A derivative that contains the value of the statement itself (of exp, sqrt, a power), referring to it by name."""
    return derivative.subs(expression, value) if isinstance(expression, (sp.Pow, sp.Function)) else derivative


def partial_derivative(expression: sp.Expr, by: sp.Symbol) -> sp.Expr:
    """The derivative where there is one: at kinks of max, min and abs that of one side, of steps zero."""
    steps = {item: sp.Dummy(real=True) for item in expression.atoms(sp.floor, sp.ceiling)}
    smooth = expression.xreplace(steps).replace(lambda item: isinstance(item, _KINKED), _by_cases)
    return sp.diff(smooth, by).xreplace({dummy: item for item, dummy in steps.items()})


_KINKED = (sp.Max, sp.Min, sp.Abs)


def _by_cases(expression: sp.Expr) -> sp.Expr:
    """max, min and abs as choices between smooth expressions."""
    if isinstance(expression, sp.Abs):
        (value,) = expression.args
        return sp.Piecewise((value, value >= 0), (-value, True))
    compare = sp.Ge if isinstance(expression, sp.Max) else sp.Le
    values = list(expression.args)
    cases = [
        (value, sp.And(*(compare(value, other) for other in values[place + 1 :]))) for place, value in enumerate(values)
    ]
    return sp.Piecewise(*cases[:-1], (values[-1], True))
