"""From our tree to SymPy: exact numbers, real symbols, conditionals as Piecewise.

Decimal literals become rationals, so that algebra stays exact. A number used as a condition means "is not zero"; a
condition used as a number is 1 or 0. Whether names exist has been checked before.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.ir.functions import FUNCTIONS
from ratemlx.ir.names import element, symbol
from ratemlx.ir.nodes import (
    Call,
    Comparison,
    Derivative,
    Item,
    Logical,
    Name,
    Negation,
    Node,
    Not,
    Number,
    Output,
    Power,
    Product,
    Sum,
    is_condition,
)
from ratemlx.transfer.base import Result

BUILT_IN: Mapping[str, sp.Expr] = {"pi": sp.pi, "inf": sp.oo}
_RELATIONS = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge, "==": sp.Eq, "!=": sp.Ne}


def to_sympy(node: Node, names: Mapping[str, sp.Expr] = BUILT_IN) -> sp.Expr:
    """The expression as a SymPy object; a name is looked up in `names` first, else it is its own real symbol."""
    if is_condition(node):
        return sp.Piecewise((1, condition_to_sympy(node, names)), (0, True))
    if isinstance(node, Number):
        return sp.Rational(node.value.numerator, node.value.denominator)
    if isinstance(node, Name):
        return names[node.name] if node.name in names else BUILT_IN.get(node.name, symbol(node.name))
    if isinstance(node, Item):
        name = element(node.name, node.index)
        return names[name] if name in names else symbol(name)
    if isinstance(node, Output):
        return Result(node.use, node.output).symbol
    if isinstance(node, Derivative):
        return Result(node.use.name, "", tuple(item.name for item in node.wrt)).symbol
    return _operation(node, names)


def _operation(node: Node, names: Mapping[str, sp.Expr]) -> sp.Expr:
    if isinstance(node, Negation):
        return -to_sympy(node.operand, names)
    if isinstance(node, Sum):
        return sp.Add(*(to_sympy(term, names) * (1 if sign == "+" else -1) for sign, term in node.terms))
    if isinstance(node, Product):
        return sp.Mul(*(to_sympy(factor, names) ** (1 if sign == "*" else -1) for sign, factor in node.factors))
    if isinstance(node, Power):
        return to_sympy(node.base, names) ** to_sympy(node.exponent, names)
    if isinstance(node, Call):
        function = FUNCTIONS[node.function]
        if function.units == "select":
            condition, *others = node.arguments
            return function.build(condition_to_sympy(condition, names), *(to_sympy(item, names) for item in others))
        return function.build(*(to_sympy(item, names) for item in node.arguments))
    raise InternalError(f"no SymPy form for {type(node).__name__}")


def condition_to_sympy(node: Node, names: Mapping[str, sp.Expr] = BUILT_IN) -> sp.Basic:
    """The expression as a SymPy truth value."""
    if isinstance(node, Comparison):
        values = [to_sympy(operand, names) for operand in node.operands]
        pairs = zip(node.operators, values, values[1:], strict=False)
        return sp.And(*(_RELATIONS[sign](left, right) for sign, left, right in pairs))
    if isinstance(node, Logical):
        parts = (condition_to_sympy(operand, names) for operand in node.operands)
        return sp.And(*parts) if node.operator == "and" else sp.Or(*parts)
    if isinstance(node, Not):
        return sp.Not(condition_to_sympy(node.operand, names))
    return sp.Ne(to_sympy(node, names), 0)
