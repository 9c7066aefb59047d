"""A program as text for people: what `ratemlx inspect` prints after a pass. The same program gives the same text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ratemlx.ir.model import Model
from ratemlx.passes.program import Program, Segment


def dump_program(program: Program) -> str:
    """Every segment with its statements and results, and what the values of constants decided."""
    lines = [f"program {program.model.name}"]
    if program.folded:
        lines += ["", "constants whose values shaped the arithmetic", f"  {', '.join(program.folded)}"]
    for name, segment in program.segments().items():
        if segment.lines or segment.results:
            lines += ["", name, *(f"  {line}" for line in _segment(segment))]
    return "\n".join(lines) + "\n"


def _segment(segment: Segment) -> Iterator[str]:
    for line in segment.lines:
        origin = f"    # {line.origin}" if line.origin not in ("", line.name) else ""
        yield f"{line.name} = {line.expression}{origin}"
    for name, expression in segment.results:
        yield f"-> {name} = {expression}"


def dump_units(model: Model) -> str:
    """The unit of every quantity of a model."""
    quantities: list[Any] = [
        *model.parameters,
        *model.constants,
        *model.derived_parameters,
        *model.state_variables,
        *model.inputs,
        *model.derived_variables,
        *model.exposures,
    ]
    width = max(len(item.name) for item in quantities)
    lines = [f"  {item.name:<{width}}  {item.unit if item.unit is not None else '-'}" for item in quantities]
    return "\n".join([f"units of {model.name}", *dict.fromkeys(lines)]) + "\n"
