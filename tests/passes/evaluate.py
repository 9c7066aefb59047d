"""Evaluate programs with numbers, statement by statement."""

from __future__ import annotations

import sympy as sp

from ratemlx.passes.program import Program, Segment
from ratemlx.passes.share import ErfcGauss


def evaluate(segment: Segment, values: dict[str, sp.Expr]) -> dict[str, sp.Expr]:
    """All statements and results of a segment at 40 digits, given its inputs."""
    known = dict(values)
    for line in segment.lines:
        known[line.name] = number(line.expression, known)
    results = {f"-> {name}": number(expression, known) for name, expression in segment.results}
    return {**known, **results}


def number(expression: sp.Expr, known: dict[str, sp.Expr]) -> sp.Expr:
    exact = expression.replace(ErfcGauss, lambda x, _: sp.erfc(x))
    return exact.subs({item: known[item.name] for item in exact.free_symbols}).evalf(40)


def inputs(program: Program, **more: float) -> dict[str, sp.Expr]:
    """Defaults of parameters, values of constants, inputs at rest, and what else is given."""
    model = program.model
    values = {item.name: item.default for item in model.parameters}
    values |= {item.name: item.value for item in model.constants}
    values |= dict.fromkeys((item.name for item in model.inputs), 0.0)
    return {name: sp.Float(value, 40) for name, value in {**values, "dt": 0.1, "n_node": 68.0, **more}.items()}
