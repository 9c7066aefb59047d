"""Statements of a transfer function cut differently, so that fewer of them have derivatives by several variables.

What several directions meet in costs most (see `chain`). A polynomial that is only added to something else need not
stand on its own, and a sum within a product should. Values stay what they are, but for rounding. Knows SymPy and
`ratemlx.transfer.base`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from ratemlx.transfer.base import TransferFunction
from ratemlx.transfer.partials import real_symbol

Named = tuple[str, sp.Expr]


def reshape(function: TransferFunction, kept: Iterable[str]) -> TransferFunction:
    """The function with other statements; those with names in `kept` stay."""
    varying = {real_symbol(item.name) for item in function.arguments}
    varying |= {real_symbol(name) for name, _ in function.statements}
    statements = _put_sums_together(function.statements, varying, set(kept))
    return replace(function, statements=tuple(_name_sums_in_products(statements, varying)))


def _put_sums_together(statements: Iterable[Named], varying: set[sp.Symbol], kept: set[str]) -> tuple[Named, ...]:
    """Statements that are used once, as a term of a sum and with a fixed factor, put in there.

    Polynomials only: the derivative of anything else refers to its value. And only one level of them, lest a long
    chain of statements becomes a long formula.
    """
    statements = tuple(statements)
    used = Counter(str(name) for _, expression in statements for name in _occurrences(expression))
    moved: dict[sp.Symbol, sp.Expr] = {}
    grown: set[str] = set()
    for name, expression in statements:
        symbol = real_symbol(name)
        if name in kept or used[name] != 1 or name in grown or not _is_polynomial(expression, varying):
            continue
        user, sums = next((its, item) for its, item in statements if symbol in item.free_symbols)
        if _is_term(symbol, sums, varying):
            moved[symbol] = expression
            grown.add(user)
    return tuple((name, item.xreplace(moved)) for name, item in statements if real_symbol(name) not in moved)


def _occurrences(expression: sp.Expr) -> Iterable[sp.Symbol]:
    return (item for item in sp.preorder_traversal(expression) if item.is_Symbol)


def _is_polynomial(expression: sp.Expr, varying: set[sp.Symbol]) -> bool:
    return bool(expression.is_polynomial(*(expression.free_symbols & varying)))


def _is_term(symbol: sp.Symbol, expression: sp.Expr, varying: set[sp.Symbol]) -> bool:
    """Whether an expression has a sum somewhere in which the symbol is a term, alone or with fixed factors."""
    return any(
        term == symbol or (term.is_Mul and symbol in term.args and term.free_symbols & varying == {symbol})
        for total in expression.atoms(sp.Add)
        for term in total.args
    )


def _name_sums_in_products(statements: Iterable[Named], varying: set[sp.Symbol]) -> Iterable[Named]:
    """Sums of several variables that are multiplied by another variable, as statements of their own."""
    for name, expression in statements:
        factors = list(expression.args) if expression.is_Mul else []
        sums = [item for item in factors if item.is_Add and len(item.free_symbols & varying) > 1]
        if sums and sum(bool(item.free_symbols & varying) for item in factors) > 1:
            named = {item: real_symbol(f"{name}.sum{place or ''}") for place, item in enumerate(sums)}
            yield from ((symbol.name, item) for item, symbol in named.items())
            yield name, sp.Mul(*(named.get(item, item) for item in factors))
        else:
            yield name, expression
