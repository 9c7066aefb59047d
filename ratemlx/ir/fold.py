"""Values of constant expressions: numbers, pi and what has been given a value. Knows nothing of models.

A constant part without a finite real value, or with an absurd exponent, is refused wherever it stands.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.ir.functions import FUNCTIONS
from ratemlx.ir.nodes import (
    Call,
    Comparison,
    Logical,
    Name,
    Negation,
    Node,
    Not,
    Number,
    Power,
    Product,
    Sum,
    children,
)

MAX_EXPONENT = 64

CONSTANTS = {"pi": math.pi, "inf": math.inf}
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def constant_value(node: Node, values: Mapping[str, float] = CONSTANTS) -> float | None:
    """The value of an expression of numbers and the named `values`; None if it contains anything else."""
    if isinstance(node, Number):
        return float(node.value)
    if isinstance(node, Name):
        return values.get(node.name)
    parts = [constant_value(child, values) for child in children(node)]
    _check_parts(node, parts)
    known = [part for part in parts if part is not None]
    if not parts or len(known) < len(parts):
        return None
    try:
        value = float(_compute(node, known))
    except (ValueError, OverflowError, ZeroDivisionError):
        value = math.nan
    chosen = isinstance(node, Negation) or (isinstance(node, Call) and node.function in ("min", "max", "where"))
    if math.isnan(value) or (math.isinf(value) and not chosen):
        raise _error(node, "the value of this is not a finite real number")
    return value


def _check_parts(node: Node, parts: list[float | None]) -> None:
    """What is wrong with a constant operand whatever the other one is."""
    if isinstance(node, Product):
        for (sign, factor), part in zip(node.factors, parts, strict=True):
            if sign == "/" and part == 0:
                raise _error(factor, "division by zero")
    if isinstance(node, Power) and parts[1] is not None and abs(parts[1]) > MAX_EXPONENT:
        raise _error(node.exponent, f"an exponent is at most {MAX_EXPONENT}", "limit")


def _compute(node: Node, parts: list[float]) -> float:
    if isinstance(node, Negation):
        return -parts[0]
    if isinstance(node, Sum):
        return sum(part if sign == "+" else -part for (sign, _), part in zip(node.terms, parts, strict=True))
    if isinstance(node, Product):
        value = 1.0
        for (sign, _), part in zip(node.factors, parts, strict=True):
            value = value * part if sign == "*" else value / part
        return value
    if isinstance(node, Power):
        return math.pow(parts[0], parts[1])
    if isinstance(node, Call):
        return FUNCTIONS[node.function].evaluate(*parts)
    return _truth(node, parts)


def _truth(node: Node, parts: list[float]) -> bool:
    if isinstance(node, Comparison):
        pairs = zip(node.operators, parts, parts[1:], strict=False)
        return all(_COMPARE[sign](left, right) for sign, left, right in pairs)
    if isinstance(node, Not):
        return not parts[0]
    assert isinstance(node, Logical)
    return any(parts) if node.operator == "or" else all(parts)


def _error(node: Node, message: str, code: str = "value") -> ModelError:
    return ModelError([Diagnostic(code, message, node.span)])
