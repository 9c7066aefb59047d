"""How much work a model may ask of the passes: beyond that it is refused rather than left to run for hours."""

from __future__ import annotations

import sympy as sp

from ratemlx.errors import RatemlxError
from ratemlx.passes.count import count_segment
from ratemlx.passes.program import Program

MOST_OPERATIONS = 20_000
MOST_CHOICES = 200


def check_limits(program: Program) -> Program:
    """The program itself; raises RatemlxError if its step is too long, or has too many choices between values."""
    operations = sum(count_segment(segment).total() for segment in program.segments().values())
    if operations > MOST_OPERATIONS:
        raise _too_large(program, f"{operations:,} operations in a step", MOST_OPERATIONS)
    choices = sum(
        len(expression.atoms(sp.Max, sp.Min, sp.Piecewise))
        for segment in program.segments().values()
        for expression in segment.expressions()
    )
    if choices > MOST_CHOICES:
        raise _too_large(program, f"{choices:,} choices (min, max, where, cases) in a step", MOST_CHOICES)
    return program


def _too_large(program: Program, what: str, most: int) -> RatemlxError:
    hint = "split the model, or compute in a transfer function what several places share"
    return RatemlxError(f"model {program.model.name} has {what}; at most {most:,} are supported", hint)
