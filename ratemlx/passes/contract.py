"""Find the weighted sums in which a segment uses second derivatives of a transfer function.

Where it uses fewer such sums than derivatives, as second-order mean fields do (half the sum of covariances times second
derivatives), the sums are all that has to be computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import sympy as sp

from ratemlx.passes.program import Segment, rebuilt, symbol

Weights = tuple[tuple[sp.Symbol, sp.Expr], ...]
"""Symbols of second derivatives and what they are multiplied with."""


def contract(
    segment: Segment, derivatives: set[sp.Symbol], results: set[sp.Symbol], output: str
) -> tuple[Segment, dict[sp.Symbol, Weights]]:
    """The segment with a symbol of its own for each sum of `derivatives`, and the sums; none where that gains nothing.

    `derivatives` are those of one output; `results` are all symbols that stand for results of the same function: sums
    that have such weights are left alone.
    """
    finder = _Finder(derivatives, output)
    replaced = segment.map(finder.replace)
    weights = {weight for its in finder.sums for _, weight in its}
    if len(finder.sums) >= len(finder.used) or any(weight.free_symbols & results for weight in weights):
        return segment, {}
    return replaced, {name: its for its, name in finder.sums.items()}


class _Finder:
    """The sums met so far; those that differ by a factor are one."""

    def __init__(self, derivatives: set[sp.Symbol], output: str) -> None:
        self.derivatives = derivatives
        self.output = output
        self.sums: dict[Weights, sp.Symbol] = {}
        self.used: set[sp.Symbol] = set()

    def replace(self, expression: sp.Basic) -> sp.Basic:
        """An expression with symbols for the sums in it."""
        if not expression.free_symbols & self.derivatives:
            return expression
        if not isinstance(expression, sp.Expr):
            return rebuilt(expression, [self.replace(item) for item in expression.args])
        weights: dict[sp.Symbol, sp.Expr] = {}
        rest = []
        for term in sp.Add.make_args(expression):
            factors = sp.Mul.make_args(term)
            weight = sp.Mul(*(item for item in factors if item not in self.derivatives))
            found = [item for item in factors if item in self.derivatives]
            if len(found) == 1 and not weight.free_symbols & self.derivatives:
                weights[found[0]] = weights.get(found[0], sp.Integer(0)) + weight
            else:
                rest.append(rebuilt(term, [self.replace(item) for item in term.args]) if term.args else term)
        return sp.Add(*rest, *([self._sum(weights)] if weights else []))

    def _sum(self, weights: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
        self.used |= weights.keys()
        factors = [{item for item in sp.Mul.make_args(weight) if not item.is_Number} for weight in weights.values()]
        common = sp.Mul(*reduce(set.intersection, factors))
        names = sorted(weights, key=lambda item: str(item.name))
        key = tuple((name, weights[name] / common) for name in names)
        return common * self.sums.setdefault(key, symbol(f"contraction({self.output}, {len(self.sums)})"))
