"""Sums with common factors taken out: the same values in fewer products."""

from __future__ import annotations

import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemlx.passes.count import count_expression
from ratemlx.passes.factor import factor_sums
from ratemlx.passes.program import symbol

A, B, X, Y = map(symbol, "abxy")
MONOMIALS = st.builds(
    lambda number, *powers: sp.Mul(number, *(base**power for base, power in zip((A, B, X, Y), powers, strict=True))),
    st.integers(-3, 3).filter(bool),
    *[st.integers(0, 3)] * 4,
)


def test_a_polynomial_takes_horners_form() -> None:
    assert factor_sums(A + B * X + 2 * X**2 + 5 * X**3) == A + X * (B + X * (5 * X + 2))
    assert factor_sums(A * X + B * X - 1) == X * (A + B) - 1


def test_sums_within_functions_are_treated_too_and_numbers_are_no_factors() -> None:
    assert factor_sums(sp.exp(A * X + A * Y)) == sp.exp(A * (X + Y))
    assert factor_sums(sp.Max(A * X + A * Y, 0)) == sp.Max(A * (X + Y), 0, evaluate=False)
    assert factor_sums(A / 3 + B / 3) == A / 3 + B / 3
    assert factor_sums(1 / X + A / X) == (1 + A) / X


def test_conditions_stay_as_they_are() -> None:
    choice = sp.Piecewise((A * X + A * Y, X > 0), (Y, True))
    assert factor_sums(choice) == choice


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(MONOMIALS, min_size=1, max_size=8))
def test_the_value_is_the_same_and_the_work_no_more(terms: list[sp.Expr]) -> None:
    before = sp.Add(*terms)
    after = factor_sums(before)
    assert sp.expand(after - before) == 0
    assert count_expression(after).total() <= count_expression(before).total()
