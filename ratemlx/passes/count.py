"""How much arithmetic a program does, by kind of operation. Counts what the printers print, before a compiler fuses."""

from __future__ import annotations

from collections import Counter

import sympy as sp
from sympy.core.relational import Relational

from ratemlx.passes.program import Program, Segment

STEP_SEGMENTS = ("couple", "derivatives", "channels", "observe")


def count_step(program: Program) -> Counter[str]:
    """Operations of one Euler step of one region, without sums over edges and random numbers."""
    total: Counter[str] = Counter()
    segments = program.segments()
    for name in STEP_SEGMENTS:
        total += count_segment(segments[name])
    states = len(program.model.state_variables)
    return total + Counter({"add": states, "multiply": states})


def count_segment(segment: Segment) -> Counter[str]:
    """Operations of all statements and results of a segment."""
    total: Counter[str] = Counter()
    for expression in segment.expressions():
        total += count_expression(expression)
    return total


def count_expression(expression: sp.Basic) -> Counter[str]:
    """Operations of one expression."""
    if expression.is_Atom or not getattr(expression, "free_symbols", None):
        return Counter()
    total: Counter[str] = Counter()
    for item in expression.args:
        total += count_expression(item)
    return total + _own(expression)


def _own(expression: sp.Basic) -> Counter[str]:
    """What the outermost operator of an expression costs."""
    if expression.is_Add:
        return Counter({"add": len(expression.args) - 1})
    if expression.is_Mul:
        below = sum(1 for item in expression.args if _is_reciprocal(item))
        signs = sum(1 for item in expression.args if item == -1)
        return Counter({"multiply": len(expression.args) - 1 - signs - (below > 0)})
    if expression.is_Pow:
        return _power(expression.args[1])
    if isinstance(expression, sp.Piecewise):
        return Counter({"select": len(expression.args) - 1})
    if isinstance(expression, (sp.Max, sp.Min)):
        return Counter({"select": len(expression.args) - 1, "compare": len(expression.args) - 1})
    if isinstance(expression, Relational):
        return Counter({"compare": 1})
    return Counter({type(expression).__name__.lower(): 1})


def _is_reciprocal(expression: sp.Basic) -> bool:
    return bool(expression.is_Pow and expression.args[1].is_Rational and expression.args[1].is_negative)


def _power(exponent: sp.Expr) -> Counter[str]:
    total: Counter[str] = Counter()
    if not exponent.is_Rational or exponent.q > 2:
        return Counter({"pow": 1})
    if exponent.is_negative:
        total["divide"] += 1
        exponent = -exponent
    if exponent.q == 2:
        total["sqrt"] += 1
    whole = int(exponent)
    if whole > 1:
        total["multiply"] += whole.bit_length() - 1 + bin(whole).count("1") - 1
    return total
