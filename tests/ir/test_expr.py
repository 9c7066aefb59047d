"""Expressions that are accepted, and what they mean."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from ratemlx.ir.expr import parse_expression, to_sympy
from ratemlx.ir.names import symbol
from ratemlx.ir.nodes import Derivative, Item, Number, Output, Product, Sum, walk
from ratemlx.source import SourceText, Span, Text
from ratemlx.transfer.base import Result
from tests.ir.texts import parse

a, b, c, x, y, z = (symbol(name) for name in "abcxyz")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1 + 2 * 3", sp.Integer(7)),
        ("-x^2", -(x**2)),
        ("(-x)^2", x**2),
        ("2^-1", sp.Rational(1, 2)),
        ("2^3^2", sp.Integer(512)),
        ("x ** 2", x**2),
        ("a / b * c", a / b * c),
        ("a - b + c", a - b + c),
        ("a / b / c", a / (b * c)),
        ("1.0f / x", 1 / x),
        (".5 + 1. + 1e-3", sp.Rational(1501, 1000)),
        ("+x - -y", x + y),
        ("2 * pi", 2 * sp.pi),
        ("0.1 * 3", sp.Rational(3, 10)),
        ("sqrt(2) + exp(x)", sp.sqrt(2) + sp.exp(x)),
        ("max(x, 0) - min(x, y, 1)", sp.Max(0, x) - sp.Min(1, x, y)),
        ("abs(x) + ceil(x) + floor(y)", sp.Abs(x) + sp.ceiling(x) + sp.floor(y)),
        ("erf(x) + erfc(y)", sp.erf(x) + sp.erfc(y)),
        ("heaviside(x)", sp.Piecewise((1, x >= 0), (0, True))),
        ("where(x < y, a, b)", sp.Piecewise((a, x < y), (b, True))),
        ("where(x, a, b)", sp.Piecewise((a, sp.Ne(x, 0)), (b, True))),
        ("where(0 < x <= 1, a, b)", sp.Piecewise((a, (x > 0) & (x <= 1)), (b, True))),
        ("where(not x or y > 1 and z, a, b)", sp.Piecewise((a, sp.Eq(x, 0) | ((y > 1) & sp.Ne(z, 0))), (b, True))),
        ("(x > 1) * y", y * sp.Piecewise((1, x > 1), (0, True))),
        ("x != y", sp.Piecewise((1, sp.Ne(x, y)), (0, True))),
        ("P[3] * x", symbol("P[3]") * x),
        ("F.mu_V", Result("F", "mu_V").symbol),
        ("diff(F, a)", Result("F", "", ("a",)).symbol),
        ("diff(F, b, a)", Result("F", "", ("a", "b")).symbol),
        ("x\n +\ty", x + y),
        ("E + I + S + N + Q + beta + gamma", sum(map(symbol, ("E", "I", "S", "N", "Q", "beta", "gamma")))),
    ],
)
def test_meaning(written: str, meant: sp.Expr) -> None:
    assert to_sympy(parse(written)) == meant


def test_names_can_be_replaced() -> None:
    assert to_sympy(parse("x + P[0]"), {"x": y, "P[0]": z}) == y + z


def test_decimals_are_exact() -> None:
    tree = parse("6.283185307179586")
    assert isinstance(tree, Number)
    assert tree.value == Fraction("6.283185307179586")


def test_every_node_has_its_place() -> None:
    tree = parse("a * (b + P[1]) - F.out / diff(F, u)")
    assert isinstance(tree, Sum)
    shown = [(type(node), node.span.text) for node in walk(tree) if node.span]
    assert (Sum, "b + P[1]") in shown
    assert (Product, "a * (b + P[1])") in shown
    assert (Item, "P[1]") in shown
    assert (Output, "F.out") in shown
    assert (Derivative, "diff(F, u)") in shown


def test_places_count_escapes_of_the_file() -> None:
    source = SourceText("m.xml", 'value="x &lt; yy"')
    value = Text("x < yy", Span(source, 7, 16), (0, 1, 2, 6, 7, 8, 9))
    names = [node.span.text for node in walk(parse_expression(value)) if node.span and hasattr(node, "name")]
    assert names == ["x", "yy"]


def test_a_long_sum_is_not_a_deep_tree() -> None:
    assert to_sympy(parse("+".join(["x"] * 5000))) == 5000 * x


def test_text_without_a_place_is_read() -> None:
    assert to_sympy(parse_expression(Text("x + 1"))) == x + 1
