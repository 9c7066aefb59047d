"""Expressions in time: `5e-4 * heaviside(t - 500)` as a function of arrays of times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.ir.expr import parse_expression
from ratemlx.ir.names import did_you_mean
from ratemlx.ir.nodes import Derivative, Item, Name, Output, walk
from ratemlx.ir.to_sympy import to_sympy
from ratemlx.source import SourceText, Span, Text
from ratemlx.transfer.numeric import Array, compute

TIME = "t"


def time_course(expression: str) -> Callable[[Array], Array]:
    """The function of time (ms) that an expression in `t` describes; raises ModelError for a faulty expression."""
    source = SourceText("time course", expression)
    tree = parse_expression(Text(expression, Span(source, 0, len(expression))))
    for node in walk(tree):
        if isinstance(node, Item | Derivative | Output) or (isinstance(node, Name) and node.name not in (TIME, "pi")):
            named = getattr(node, "name", "")
            hint = did_you_mean(named, (TIME, "pi")) or "a time course is an expression in t, in ms"
            raise ModelError([Diagnostic("unknown-name", "only t and pi have a value here", node.span, hint)])
    formula = to_sympy(tree)

    def evaluate(times: Array) -> Array:
        values = compute(formula, {TIME: np.asarray(times, dtype=np.float64)})
        return np.broadcast_to(values, np.shape(times))

    return evaluate
