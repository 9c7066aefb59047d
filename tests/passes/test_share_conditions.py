"""A condition that several statements test is not made a statement of its own: statements are numbers."""

from __future__ import annotations

import sympy as sp

from ratemlx.load import load
from ratemlx.passes.pipeline import lower
from ratemlx.passes.program import Line, Segment, symbol
from ratemlx.passes.share import share_segment


def test_a_condition_stays_where_it_is_tested() -> None:
    x, y = symbol("x"), symbol("y")
    above = sp.exp(x) >= 1
    lines = (Line("a", sp.Piecewise((x, above), (y, True))), Line("b", sp.Piecewise((y, above), (x * y, True))))
    found = share_segment(Segment(lines, (("sum", symbol("a") + symbol("b")),)), iter(["grown"]))
    grown = symbol("grown")
    assert [(line.name, line.expression) for line in found.lines] == [
        ("grown", sp.exp(x)),
        ("a", sp.Piecewise((x, grown >= 1), (y, True))),
        ("b", sp.Piecewise((y, grown >= 1), (x * y, True))),
    ]


def test_the_cases_of_wong_wang_lower_to_numbers() -> None:
    program = lower(load("reduced_wong_wang"))
    for segment in program.segments().values():
        assert not [line for line in segment.lines if isinstance(line.expression, sp.core.relational.Relational)]
