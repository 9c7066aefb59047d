"""Take common factors out of sums: a b + a c becomes a (b + c), and a polynomial takes Horner's form.

The factor that most terms have goes first, and what is left of the sum is treated alike.
"""

from __future__ import annotations

from collections import Counter

import sympy as sp

from ratemlx.passes.program import Program, rebuilt


def factor(program: Program) -> Program:
    """The program with sums in fewer products; `prepare`, which runs once, stays as it is."""
    segments = program.segments()
    return program.with_segments(
        {name: segment.map(factor_sums) for name, segment in segments.items() if name != "prepare"}
    )


def factor_sums(expression: sp.Expr) -> sp.Expr:
    """An expression with common factors taken out of its sums, but for what depends on conditions."""
    if expression.is_Atom or expression.has(sp.Piecewise):
        return expression
    expression = rebuilt(expression, [factor_sums(item) for item in expression.args])
    return _factored(expression) if expression.is_Add else expression


def _factored(total: sp.Expr) -> sp.Expr:
    terms = {term: _powers(term) for term in sp.Add.make_args(total)}
    in_terms = Counter(item for powers in terms.values() for item in powers)
    degree = sum(terms.values(), Counter())
    if not in_terms or max(in_terms.values()) < 2:
        return total
    chosen = max(in_terms, key=lambda item: (in_terms[item], degree[item], str(item)))
    within = [term / chosen for term, powers in terms.items() if chosen in powers]
    without = [term for term, powers in terms.items() if chosen not in powers]
    return sp.Add(_factored(sp.Add(*without)), sp.Mul(chosen, _factored(sp.Add(*within))))


def _powers(term: sp.Expr) -> Counter[sp.Expr]:
    """The factors of a term and how often each of them is there; numbers do not count."""
    found: Counter[sp.Expr] = Counter()
    for item in sp.Mul.make_args(term):
        if item.is_Pow and item.exp.is_Integer and item.exp.is_positive:
            found[item.base] += int(item.exp)
        elif not item.is_Number:
            found[item] += 1
    return found
