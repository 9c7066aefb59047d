"""Statements cut differently have the same values, and fewer of them have several variables."""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer.base import Argument, TransferFunction
from ratemlx.transfer.reshape import reshape

X, Y, Z, K, A, B, C = (sp.Symbol(name, real=True) for name in "xyzkabc")


def function(*statements: tuple[str, sp.Expr]) -> TransferFunction:
    return TransferFunction("f", tuple(map(Argument, "xyz")), (), statements, ((statements[-1][0], ""),))


def reshaped(*statements: tuple[str, sp.Expr], kept: tuple[str, ...] = ()) -> dict[str, sp.Expr]:
    given = function(*statements)
    return dict(reshape(given, {statements[-1][0], *kept}).statements)


def test_a_polynomial_that_is_added_once_is_put_into_the_sum() -> None:
    assert reshaped(("a", X * Y**2), ("b", K * A + Z)) == {"b": K * X * Y**2 + Z}


def test_it_stays_where_it_is_used_twice_or_asked_for() -> None:
    for kept, *statements in (
        ((), ("a", X * Y), ("b", A + Z), ("c", A * B)),
        ((), ("a", X * Y), ("b", A + A**2)),
        (("a",), ("a", X * Y), ("b", A + Z)),
    ):
        assert reshaped(*statements, kept=kept) == dict(statements)


def test_it_stays_where_it_is_a_factor_of_a_variable_or_no_polynomial() -> None:
    for statements in (
        (("a", X + Y), ("b", Z * A + Z)),
        (("a", X + Y), ("b", sp.exp(A))),
        (("a", sp.exp(X)), ("b", A + Y)),
        (("a", X / Y), ("b", A + Z)),
        (("a", sp.Max(X, Y)), ("b", A + Z)),
    ):
        assert reshaped(*statements) == dict(statements)


def test_a_chain_of_sums_does_not_become_one_formula() -> None:
    assert reshaped(("a", X * Y), ("b", A + Z), ("c", B + X)) == {"b": X * Y + Z, "c": B + X}


def test_a_sum_within_a_product_becomes_a_statement() -> None:
    assert reshaped(("a", Z * (X * Y + Y**2))) == {"a.sum": X * Y + Y**2, "a": Z * sp.Symbol("a.sum", real=True)}
    assert reshaped(("a", K * (X + Y))) == {"a": K * (X + Y)}
    assert reshaped(("a", Z * (X + K))) == {"a": Z * (X + K)}


def test_zerlaut_needs_no_statement_for_the_parts_of_its_variance() -> None:
    """Where both synaptic time constants are equal, the variance is one gain times a sum of two drives."""
    from ratemlx.load import load
    from ratemlx.passes.pipeline import run_until

    program = run_until(load("adex"), "differentiate")
    names = {line.name for line in program.derivatives.lines}
    assert {"F_e.power", "F_e.power.sum", "F_e.gap"} <= names
    assert names.isdisjoint({"F_e.drive_e", "F_e.drive_i", "F_e.V_thre"})
