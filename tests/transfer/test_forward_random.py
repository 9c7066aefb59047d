"""Derivatives statement by statement against those of the composed formula, for functions drawn at random."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemlx.transfer.base import Argument, TransferFunction
from ratemlx.transfer.forward import Contraction, expand

ARGUMENTS = ("x", "y", "z")
PAIRS = tuple(combinations_with_replacement(ARGUMENTS, 2))


def symbol(name: str) -> sp.Symbol:
    return sp.Symbol(name, real=True)


WEIGHTS = (symbol("C"), -(symbol("C") ** 2), sp.Rational(1, 2), sp.Integer(1), sp.Integer(0))


@st.composite
def functions(draw: st.DrawFn) -> TransferFunction:
    """A few statements over arguments and earlier statements: sums, products, powers, bounded functions."""
    known = [symbol(name) for name in ARGUMENTS] + [symbol("k")]
    statements = []
    for place in range(draw(st.integers(1, 6))):
        one, other = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        number = sp.Integer(draw(st.integers(-3, 3)))
        form = draw(
            st.sampled_from(
                [
                    one + number * other,
                    2 * one + 1,
                    symbol("k") * one - number,
                    one * other,
                    one**2 + other,
                    sp.tanh(one),
                    sp.exp(-(one**2)),
                    sp.sqrt(1 + one**2) * number,
                    one / (2 + other**2),
                ]
            )
        )
        name = f"s{place}"
        statements.append((name, form))
        known.append(symbol(name))
    outputs = tuple((name, "") for name, _ in statements)
    return TransferFunction("random", tuple(map(Argument, ARGUMENTS)), (), tuple(statements), outputs)


def requests_of(function: TransferFunction) -> st.SearchStrategy[list[tuple[str, tuple[str, ...]]]]:
    names = st.sampled_from([name for name, _ in function.statements])
    wrt = st.lists(st.sampled_from(ARGUMENTS), max_size=2).map(tuple)
    return st.lists(st.tuples(names, wrt), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_joint_requests_have_the_derivatives_of_the_composed_formula(data: st.DataObject) -> None:
    function = data.draw(functions())
    wanted = data.draw(requests_of(function))
    point = {symbol("x"): 0.7, symbol("y"): -0.4, symbol("z"): 1.3, symbol("k"): 0.9}
    composed: dict[sp.Symbol, sp.Expr] = {}
    for name, expression in function.statements:
        composed[symbol(name)] = expression.xreplace(composed)
    expansion = expand(function, wanted)
    known: dict[sp.Symbol, sp.Expr] = dict(point)
    for name, expression in expansion.statements:
        known[symbol(name)] = expression.subs(known)
    for output, wrt in wanted:
        expected = composed[symbol(output)]
        for name in wrt:
            expected = sp.diff(expected, symbol(name))
        found = float(expansion.results[output, tuple(sorted(wrt))].subs(known))
        assert math.isclose(found, float(expected.subs(point)), rel_tol=1e-9, abs_tol=1e-12), (output, wrt)


def test_two_arguments_that_meet_in_an_affine_statement_keep_their_own_derivatives() -> None:
    x, y, s = symbol("x"), symbol("y"), symbol("s")
    arguments = (Argument("x"), Argument("y"))
    function = TransferFunction("met", arguments, (), (("s", x + y**2), ("F", sp.exp(s))), (("F", ""),))
    results = expand(function, [("F", ("x",)), ("F", ("y",))])
    known = {x: sp.Rational(1, 2), y: sp.Rational(1, 3)}
    for name, expression in results.statements:
        known[symbol(name)] = expression.subs(known)
    value = math.exp(1 / 2 + 1 / 9)
    assert math.isclose(float(results.results["F", ("x",)].subs(known)), value)
    assert math.isclose(float(results.results["F", ("y",)].subs(known)), 2 / 3 * value)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_weighted_sums_of_second_derivatives_are_what_they_say(data: st.DataObject) -> None:
    """Several sums at once, also beside single derivatives, with weights that are symbols, numbers or zero."""
    function = data.draw(functions())
    names = st.sampled_from([name for name, _ in function.statements])
    pairs = st.lists(st.sampled_from(PAIRS), min_size=1, max_size=6, unique=True)
    sums = [
        Contraction(data.draw(names), tuple((pair, data.draw(st.sampled_from(WEIGHTS))) for pair in data.draw(pairs)))
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    point = {symbol("x"): 0.7, symbol("y"): -0.4, symbol("z"): 1.3, symbol("k"): 0.9, symbol("C"): 0.37}
    composed: dict[sp.Symbol, sp.Expr] = {}
    for name, expression in function.statements:
        composed[symbol(name)] = expression.xreplace(composed)
    expansion = expand(function, data.draw(requests_of(function)), sums)
    known: dict[sp.Symbol, sp.Expr] = dict(point)
    for name, expression in expansion.statements:
        assert symbol(name) not in known
        known[symbol(name)] = expression.subs(known)
    for item in sums:
        whole = composed[symbol(item.output)]
        expected = sum(weight * sp.diff(whole, symbol(one), symbol(other)) for (one, other), weight in item.weights)
        found = float(expansion.contracted[item].subs(known))
        assert math.isclose(found, float(sp.sympify(expected).subs(point)), rel_tol=1e-9, abs_tol=1e-12), item
