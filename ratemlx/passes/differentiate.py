"""Replace every transfer result in a program by the statements that compute it, derivatives included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy as sp

from ratemlx.ir.model import TransferUse
from ratemlx.passes.contract import contract
from ratemlx.passes.order import sort_lines
from ratemlx.passes.program import Line, Program, Segment, free_names, symbol
from ratemlx.transfer.base import Result
from ratemlx.transfer.forward import Contraction, Request, expand


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
    requests = {result.symbol: _request(use, result) for result in wanted}
    segment, sums = _contract(segment, requests)
    names = free_names(segment.expressions())
    requests = {name: request for name, request in requests.items() if name.name in names}
    expansion = expand(use.function, requests.values(), sums.values())
    bound = {symbol(name): value for name, value in use.arguments if value.is_Symbol or value.is_Number}
    lines = [
        Line(name, value, f"{use.name}: argument {name.removeprefix(use.name + '.')}")
        for name, value in use.arguments
        if symbol(name) not in bound
    ]
    origin = f"{use.name}: {use.function.name}"
    lines += [Line(name, expression.xreplace(bound), origin) for name, expression in expansion.statements]
    results = {name: expansion.results[request].xreplace(bound) for name, request in requests.items()}
    results |= {name: expansion.contracted[item].xreplace(bound) for name, item in sums.items()}
    replaced = segment.map(lambda expression: expression.xreplace(results))
    return sort_lines(replace(replaced, lines=(*lines, *replaced.lines)))


def _request(use: TransferUse, result: Result) -> Request:
    """A result in the names of the bound function."""
    output = f"{use.name}.{result.output}" if result.output else use.function.outputs[0][0]
    return output, tuple(sorted(f"{use.name}.{name}" for name in result.wrt))


def _contract(segment: Segment, requests: Mapping[sp.Symbol, Request]) -> tuple[Segment, dict[sp.Symbol, Contraction]]:
    """The segment with one symbol for each sum of second derivatives that may be computed as such, and the sums."""
    found: dict[sp.Symbol, Contraction] = {}
    for output in dict.fromkeys(output for output, _ in requests.values()):
        second = {name for name, (its, wrt) in requests.items() if its == output and len(wrt) == 2}
        segment, sums = contract(segment, second, set(requests), output)
        for name, weights in sums.items():
            found[name] = Contraction(output, tuple((requests[item][1], weight) for item, weight in weights))
    return segment, found
