"""What the passes work on: a model's arithmetic as straight-line segments of named statements.

A segment is one place of the kernel where arithmetic happens. Each has its inputs (symbols it does not define), its
statements in order, and its results. Knows SymPy; nothing of C, Python or a device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import sympy as sp

from ratemlx.ir.model import Model
from ratemlx.ir.names import symbol as symbol

Named = tuple[str, sp.Expr]


@dataclass(frozen=True)
class Line:
    """One statement; `origin` names the element of the model file that it came from."""

    name: str
    expression: sp.Expr
    origin: str = ""


@dataclass(frozen=True)
class Segment:
    """Straight-line arithmetic: statements in order, then named results over them."""

    lines: tuple[Line, ...]
    results: tuple[Named, ...]

    def expressions(self) -> tuple[sp.Expr, ...]:
        """All right-hand sides, statements first."""
        return (*(line.expression for line in self.lines), *(expression for _, expression in self.results))

    def map(self, change: Callable[[sp.Expr], sp.Expr]) -> Segment:
        """The segment with every right-hand side replaced."""
        return Segment(
            tuple(replace(line, expression=change(line.expression)) for line in self.lines),
            tuple((name, change(expression)) for name, expression in self.results),
        )


@dataclass(frozen=True)
class Program:
    """All arithmetic of a model.

    constants   what the kernel may be compiled with other values of: (name, value)
    folded      constants whose value shaped the arithmetic, so that another value needs another kernel
    prepare     once per instance: everything that only parameters, constants and dt decide
    derivatives from states and coupling terms to the states' time derivatives
    channels    from the states of a region to the quantities that other regions read from its history
    edges       from delayed channels of a source and states of the target to what is summed; None where the sum is
                plainly weight times channel, which lets the kernel gather a whole block of steps at once
    couple      from the weighted sums to the coupling terms
    noise       each noise's coefficients, by the names in `noise_coefficients`
    observe     from states after the step to the exposures
    """

    model: Model
    constants: tuple[tuple[str, float], ...]
    folded: tuple[str, ...]
    prepare: Segment
    derivatives: Segment
    channels: Segment
    edges: Segment | None
    couple: Segment
    noise: Segment
    observe: Segment

    def segments(self) -> dict[str, Segment]:
        """The segments by name, in the order of a step; without `edges` where there are none."""
        names = ("prepare", "channels", "edges", "couple", "derivatives", "noise", "observe")
        found = {name: getattr(self, name) for name in names}
        return {name: segment for name, segment in found.items() if segment is not None}

    def with_segments(self, changed: dict[str, Segment]) -> Program:
        """The program with some segments replaced."""
        return replace(self, **cast("dict[str, Any]", changed))


def rebuilt(expression: sp.Expr, args: Sequence[sp.Expr]) -> sp.Expr:
    """An expression with other operands: the same object if they are the same.

    SymPy compares the operands of max and min with each other whenever it builds one, which takes milliseconds; that
    was done when the expression was read.
    """
    if all(new is old for new, old in zip(args, expression.args, strict=True)):
        return expression
    if isinstance(expression, (sp.Max, sp.Min)):
        return expression.func(*args, evaluate=False)
    return expression.func(*args)


def free_names(expressions: Iterable[sp.Expr]) -> set[str]:
    """Names of all symbols in some expressions."""
    return {str(item.name) for expression in expressions for item in expression.free_symbols}


def drop_unused(segment: Segment) -> Segment:
    """The segment without statements that no result depends on."""
    live = free_names(expression for _, expression in segment.results)
    kept = []
    for line in reversed(segment.lines):
        if line.name in live:
            kept.append(line)
            live |= free_names([line.expression])
    return Segment(tuple(reversed(kept)), segment.results)
