"""Put the statements of a segment into an order in which each uses earlier ones only."""

from __future__ import annotations

from ratemlx.errors import InternalError
from ratemlx.passes.program import Line, Segment, free_names


def sort_lines(segment: Segment) -> Segment:
    """Depth-first from the first statement on, so that what belongs together stays together.

    Raises InternalError if statements depend on each other in a circle.
    """
    by_name = {line.name: line for line in segment.lines}
    done: dict[str, Line] = {}
    for line in segment.lines:
        _visit(line, by_name, done)
    return Segment(tuple(done.values()), segment.results)


def _visit(start: Line, by_name: dict[str, Line], done: dict[str, Line]) -> None:
    pending: list[tuple[Line, list[str]]] = [(start, _inputs(start, by_name))]
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
            pending.append((by_name[missing], _inputs(by_name[missing], by_name)))


def _inputs(line: Line, by_name: dict[str, Line]) -> list[str]:
    return sorted(free_names([line.expression]) & by_name.keys())
