"""Replace every transfer result in a program by the statements that compute it, derivatives included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ratemlx.ir.model import TransferUse
from ratemlx.passes.order import sort_lines
from ratemlx.passes.program import Line, Program, Segment, free_names, symbol
from ratemlx.transfer.base import Result
from ratemlx.transfer.forward import expand


def differentiate(program: Program) -> Program:
    """The program with transfer functions and their exact partial derivatives written out."""
    changed = {}
    for name, segment in program.segments().items():
        changed[name] = expand_segment(segment, program.model.transfer_uses)
    return program.with_segments(changed)


def expand_segment(segment: Segment, uses: Iterable[TransferUse]) -> Segment:
    """A segment with the results of bound transfer functions written out."""
    for use in reversed(tuple(uses)):
        wanted = _wanted(segment, use)
        if wanted:
            segment = _expand_use(segment, use, wanted)
    return segment


def _wanted(segment: Segment, use: TransferUse) -> list[Result]:
    """The results of a use that a segment mentions, in a fixed order."""
    names = free_names(segment.expressions())
    outputs = [name.removeprefix(f"{use.name}.") for name, _ in use.function.outputs]
    arguments = [name.removeprefix(f"{use.name}.") for name, _ in use.arguments]
    by: list[tuple[str, ...]] = [()]
    by += [(one,) for one in arguments]
    by += [(one, other) for place, one in enumerate(arguments) for other in arguments[place:]]
    results = [Result(use.name, "" if output == outputs[0] else output, wrt) for output in outputs for wrt in by]
    results.append(Result(use.name, outputs[0]))
    return [result for result in results if str(result) in names]


def _expand_use(segment: Segment, use: TransferUse, wanted: list[Result]) -> Segment:
    value_name = use.function.outputs[0][0]

    def request(result: Result) -> tuple[str, tuple[str, ...]]:
        output = f"{use.name}.{result.output}" if result.output else value_name
        return output, tuple(sorted(f"{use.name}.{name}" for name in result.wrt))

    expansion = expand(use.function, [request(result) for result in wanted])
    bound = {symbol(name): value for name, value in use.arguments if value.is_Symbol or value.is_Number}
    lines = [
        Line(name, value, f"{use.name}: argument {name.removeprefix(use.name + '.')}")
        for name, value in use.arguments
        if symbol(name) not in bound
    ]
    origin = f"{use.name}: {use.function.name}"
    lines += [Line(name, expression.xreplace(bound), origin) for name, expression in expansion.statements]
    results = {result.symbol: expansion.results[request(result)].xreplace(bound) for result in wanted}
    replaced = segment.map(lambda expression: expression.xreplace(results))
    return sort_lines(replace(replaced, lines=(*lines, *replaced.lines)))
