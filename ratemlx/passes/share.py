"""Compute nothing twice within a segment: common subexpressions, reciprocals, and the Gaussian beside erfc."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFunction

from ratemlx.passes.order import sort_lines
from ratemlx.passes.program import Line, Program, Segment, drop_unused, free_names, symbol

SHARED_PREFIX = "shared."


class ErfcGauss(sp.Function):  # type: ignore[misc]
    """erfc(x), given exp(-x**2) that is needed anyway: the costly half of the function is already there."""

    nargs = 2
    is_real = True


def share(program: Program) -> Program:
    """The program with each segment's repeated work done once."""
    segments = program.segments()
    taken = {line.name for segment in segments.values() for line in segment.lines}
    names = (name for name in (f"{SHARED_PREFIX}{number}" for number in count()) if name not in taken)
    changed = {}
    for name, segment in segments.items():
        changed[name] = share_segment(segment, names, keep_all=name == "prepare")
    return program.with_segments(changed)


def share_segment(segment: Segment, names: Iterator[str], keep_all: bool = False) -> Segment:
    """One segment with repeated work done once; statements that nothing uses go unless `keep_all`."""
    segment = _use_gaussian(segment)
    segment = _use_reciprocals(segment)
    fresh = (symbol(name) for name in names)
    replacements, reduced = sp.cse(list(segment.expressions()), symbols=fresh, order="none", list=True)
    replacements, reduced = _without_conditions(replacements, reduced)
    lines = [Line(str(name), expression, "shared") for name, expression in replacements]
    reduced_lines = zip(segment.lines, reduced, strict=False)
    lines += [Line(line.name, expression, line.origin) for line, expression in reduced_lines]
    named = zip(segment.results, reduced[len(segment.lines) :], strict=True)
    results = tuple((name, expression) for (name, _), expression in named)
    merged = sort_lines(_drop_copies(Segment(tuple(lines), results), keep_all))
    if keep_all:
        return merged
    return drop_unused(_merge_equal(merged))


def _without_conditions(
    replacements: Sequence[tuple[sp.Symbol, sp.Basic]], reduced: Sequence[sp.Expr]
) -> tuple[list[tuple[sp.Symbol, sp.Expr]], list[sp.Expr]]:
    """Shared conditions put back where they are tested, because a statement is a number.

    What a condition compares stays shared, under the name that the condition would have had.
    """
    conditions: dict[sp.Symbol, sp.Basic] = {}
    kept = []
    for name, value in replacements:
        plain = value.xreplace(conditions)
        if isinstance(plain, Relational) and not plain.lhs.is_Atom:
            kept.append((name, plain.lhs))
            plain = plain.func(name, plain.rhs)
        if isinstance(plain, Relational | BooleanFunction):
            conditions[name] = plain
        else:
            kept.append((name, plain))
    return kept, [expression.xreplace(conditions) for expression in reduced]


def _merge_equal(segment: Segment) -> Segment:
    """Statements with the same right-hand side, or its negative, as one."""
    known: dict[sp.Expr, sp.Symbol] = {}
    same: dict[sp.Symbol, sp.Expr] = {}
    kept = []
    for line in segment.lines:
        value = line.expression.xreplace(same)
        if value in known:
            same[symbol(line.name)] = known[value]
        elif -value in known:
            same[symbol(line.name)] = -known[-value]
        else:
            known[value] = symbol(line.name)
            kept.append(Line(line.name, value, line.origin))
    results = tuple((name, expression.xreplace(same)) for name, expression in segment.results)
    return Segment(tuple(kept), results)


def _use_gaussian(segment: Segment) -> Segment:
    gaussians = {item for expression in segment.expressions() for item in expression.atoms(sp.exp)}

    def change(expression: sp.Expr) -> sp.Expr:
        found = {}
        for tail in expression.atoms(sp.erfc):
            gaussian = sp.exp(-(tail.args[0] ** 2))
            if gaussian in gaussians:
                found[tail] = ErfcGauss(tail.args[0], gaussian)
        return expression.xreplace(found)

    return segment.map(change)


def _use_reciprocals(segment: Segment) -> Segment:
    """x**-2 and higher as powers of 1/x, wherever 1/x has to be computed for them."""
    powers = {
        item
        for expression in segment.expressions()
        for item in expression.atoms(sp.Pow)
        if item.exp.is_Integer and item.exp < -1
    }
    bases = sorted({item.base for item in powers}, key=sp.default_sort_key)
    inverse = {base: symbol(f"{SHARED_PREFIX}inverse({base})") for base in bases}
    found = {item: inverse[item.base] ** (-item.exp) for item in powers}
    found |= {1 / base: name for base, name in inverse.items()}
    known = {line.expression: line.name for line in segment.lines}
    new = [Line(inverse[base].name, symbol(known[1 / base]) if 1 / base in known else 1 / base) for base in bases]
    kept = {1 / base for base in bases if 1 / base in known}
    lines = [line if line.expression in kept else _changed(line, found) for line in segment.lines]
    results = tuple((name, expression.xreplace(found)) for name, expression in segment.results)
    return Segment((*new, *lines), results)


def _changed(line: Line, found: dict[sp.Expr, sp.Expr]) -> Line:
    return Line(line.name, line.expression.xreplace(found), line.origin)


def _drop_copies(segment: Segment, keep_all: bool) -> Segment:
    """Statements that only rename another value are replaced by it; a shared value takes the better name."""
    better: dict[sp.Symbol, sp.Symbol] = {}
    for line in segment.lines:
        value = line.expression
        if value.is_Symbol and value.name.startswith(SHARED_PREFIX) and not line.name.startswith(SHARED_PREFIX):
            better.setdefault(value, symbol(line.name))
    renamed = []
    origins = {line.name: line.origin for line in segment.lines}
    for line in segment.lines:
        own = symbol(line.name)
        if line.expression.is_Symbol and better.get(line.expression) == own:
            continue
        name = better.get(own, own).name
        renamed.append(Line(name, line.expression.xreplace(better), origins.get(name, line.origin)))
    results = tuple((name, expression.xreplace(better)) for name, expression in segment.results)
    copies: dict[sp.Symbol, sp.Expr] = {}
    for line in renamed:
        if _is_copy(line.expression) and not keep_all:
            copies[symbol(line.name)] = line.expression
    copies = {name: _follow(value, copies) for name, value in copies.items()}
    kept = [_changed(line, copies) for line in renamed if symbol(line.name) not in copies]
    return Segment(tuple(kept), tuple((name, expression.xreplace(copies)) for name, expression in results))


def _is_copy(expression: sp.Expr) -> bool:
    return bool(expression.is_Symbol or expression.is_Number or (-expression).is_Symbol)


def _follow(value: sp.Expr, copies: dict[sp.Symbol, sp.Expr]) -> sp.Expr:
    while free_names([value]) & {name.name for name in copies}:
        value = value.xreplace(copies)
    return value
