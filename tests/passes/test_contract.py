"""Second derivatives that are only used in weighted sums are computed as sums."""

from __future__ import annotations

import pytest
import sympy as sp

from ratemlx.ir.model import Model
from ratemlx.passes import differentiate as differentiation
from ratemlx.passes.contract import contract
from ratemlx.passes.count import count_step
from ratemlx.passes.pipeline import lower
from ratemlx.passes.program import Line, Segment, symbol
from tests.passes.test_passes import STATE, slopes

EE, EI, II, GRADIENT = (symbol(f"diff(F, {wrt})") for wrt in ("e, e", "e, i", "i, i", "e"))
A, B, C, X = map(symbol, "abcx")


def found(*expressions: sp.Expr) -> tuple[Segment, dict[sp.Symbol, dict[sp.Symbol, sp.Expr]]]:
    results = tuple((f"r{place}", item) for place, item in enumerate(expressions[1:]))
    segment = Segment((Line("first", expressions[0]),), results)
    changed, sums = contract(segment, {EE, EI, II}, {EE, EI, II, GRADIENT}, "F.F")
    for name, weights in sums.items():
        changed = changed.map(lambda item: item.xreplace({name: sp.Add(*(w * d for d, w in weights))}))  # noqa: B023
    for before, after in zip(segment.expressions(), changed.expressions(), strict=True):
        assert sp.expand(before - after) == 0
    return changed, {name: dict(weights) for name, weights in sums.items()}


def test_a_sum_is_found_beside_other_terms_and_below_factors() -> None:
    _, sums = found((X + 3 * (A * EE / 2 + B * EI + C * II / 2)) / X)
    assert list(sums.values()) == [{EE: 3 * A / 2, EI: 3 * B, II: 3 * C / 2}]


def test_sums_that_differ_by_a_factor_are_one() -> None:
    _, sums = found(X * A * EE + X * B * II, X + C * (A * EE + B * II))
    assert list(sums.values()) == [{EE: A, II: B}]


def test_nothing_is_gained_where_there_are_as_many_sums_as_derivatives() -> None:
    assert not found(A * EE)[1]
    assert not found(A * EE + B * II, A * EE - B * II)[1]
    assert not found(A * EE + B * EI, EE * EI, X)[1]
    assert not found(sp.exp(EE) + sp.sin(II))[1]


def test_a_derivative_that_is_used_on_its_own_too_is_a_sum_of_one() -> None:
    _, sums = found(A * EE + B * EI + C * II, sp.tanh(EE), sp.Piecewise((EE, X > 1), (X, True)))
    assert sorted(map(len, sums.values())) == [1, 3]


def test_weights_that_the_function_itself_decides_are_left_alone() -> None:
    assert not found(GRADIENT * EE + B * EI + C * II)[1]


def test_adex_computes_the_same_with_far_less(adex: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    contracted = lower(adex)
    monkeypatch.setattr(differentiation, "contract", lambda segment, *_: (segment, {}))
    single = lower(adex)
    assert count_step(contracted).total() < 0.85 * count_step(single).total()
    assert count_step(contracted).total() <= 600
    expected = slopes(single, c_pop0=1e-4, **STATE)
    for name, value in slopes(contracted, c_pop0=1e-4, **STATE).items():
        assert value == pytest.approx(expected[name], rel=1e-14)
