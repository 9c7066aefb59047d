"""Let the values of constants shape the arithmetic before it is differentiated.

A constant that is 0 or 1 disappears from sums and products, and constants of one transfer function that are equal
become one, so that statements which thereby coincide are computed once. Every constant that was used so is recorded
in `folded`: giving it another value means generating another kernel (done for the user where it is asked for).
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from ratemlx.ir.model import Model, TransferUse
from ratemlx.passes.bind import bind_use
from ratemlx.passes.program import Program, symbol


def specialise(program: Program) -> Program:
    """The program with trivial constants put in, and its transfer functions simplified by their coefficients."""
    model = program.model
    trivial = {item.name: sp.Integer(int(item.value)) for item in model.constants if item.value in (0.0, 1.0)}
    put_in = {symbol(name): value for name, value in trivial.items()}
    used: set[str] = set()
    uses = []
    for use in model.transfer_uses:
        simpler, folded = _specialise_use(use, model, put_in)
        uses.append(simpler)
        used |= folded
    changed = {}
    for name, segment in program.segments().items():
        used |= {item for item in trivial if any(symbol(item) in e.free_symbols for e in segment.expressions())}
        changed[name] = segment.map(lambda expression: expression.xreplace(put_in))
    return replace(
        program.with_segments(changed),
        model=replace(model, transfer_uses=tuple(uses)),
        folded=tuple(item.name for item in model.constants if item.name in used),
    )


def _specialise_use(use: TransferUse, model: Model, put_in: dict[sp.Symbol, sp.Expr]) -> tuple[TransferUse, set[str]]:
    """Bind coefficients and merge equal ones; also gives the names of the constants whose value decided something."""
    merged, folded = _merge_equal(use, model)
    bound = [value.xreplace(merged) for _, value in use.coefficients]
    trivial = {item.name for item in model.constants if symbol(item.name) in put_in}
    folded |= {name for name in trivial if any(symbol(name) in value.free_symbols for value in bound)}
    return bind_use(use, merged, put_in), folded


def _merge_equal(use: TransferUse, model: Model) -> tuple[dict[sp.Symbol, sp.Expr], set[str]]:
    """Constants of equal value and unit among a use's coefficients: later ones become the first."""
    constants = {item.name: item for item in model.constants}
    first: dict[tuple[float, str], str] = {}
    merged: dict[sp.Symbol, sp.Expr] = {}
    folded: set[str] = set()
    for _, value in use.coefficients:
        name = str(value)
        if name not in constants or "[" in name or constants[name].value in (0.0, 1.0):
            continue
        key = (constants[name].value, str(constants[name].unit))
        if first.setdefault(key, name) != name:
            merged[symbol(name)] = symbol(first[key])
            folded |= {name, first[key]}
    return merged, folded
