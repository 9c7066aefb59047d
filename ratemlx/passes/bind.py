"""Give each transfer function its arguments and coefficients, under names of its own within the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from ratemlx.ir.model import TransferUse
from ratemlx.passes.program import Program, symbol

Replacements = Mapping[sp.Symbol, sp.Expr]


def bind(program: Program) -> Program:
    """The program with transfer functions over the model's own names; no constant's value shapes anything."""
    uses = tuple(bind_use(use, {}, {}) for use in program.model.transfer_uses)
    return replace(program, model=replace(program.model, transfer_uses=uses))


def bind_use(use: TransferUse, merged: Replacements, put_in: Replacements) -> TransferUse:
    """Bind coefficients, and give statements that became the same one name.

    `merged` maps constants to others of equal value, `put_in` maps constants to the numbers that replace them.
    """
    bound = {symbol(name): value.xreplace(merged).xreplace(put_in) for name, value in use.coefficients}
    arguments = tuple((f"{use.name}.{name}", value.xreplace(put_in)) for name, value in use.arguments)
    local = {symbol(name): symbol(f"{use.name}.{name}") for name, _ in use.function.statements}
    local |= {symbol(item.name): symbol(f"{use.name}.{item.name}") for item in use.function.arguments}
    statements: list[tuple[str, sp.Expr]] = []
    known: dict[sp.Expr, sp.Symbol] = {}
    same: dict[sp.Symbol, sp.Expr] = {}
    for name, expression in use.function.statements:
        value = _factored(expression.xreplace({**local, **bound}).xreplace(same), expression)
        own = local[symbol(name)]
        if value in known:
            same[own] = known[value]
        known.setdefault(value, own)
        statements.append((own.name, known[value] if known[value] != own else value))
    function = replace(
        use.function,
        arguments=tuple(replace(item, name=f"{use.name}.{item.name}") for item in use.function.arguments),
        coefficients=(),
        statements=tuple(statements),
        outputs=tuple((f"{use.name}.{name}", unit) for name, unit in use.function.outputs),
    )
    return replace(use, function=function, arguments=arguments, coefficients=())


def _factored(value: sp.Expr, before: sp.Expr) -> sp.Expr:
    """Sums of products that now share a factor, with the factor taken out."""
    if not isinstance(value, sp.Add) or len(value.free_symbols) >= len(before.free_symbols):
        return value
    return sp.factor_terms(value)
