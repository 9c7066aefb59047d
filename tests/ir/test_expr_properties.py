"""Properties of the expression language over random texts and random expressions."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemlx.errors import ModelError
from ratemlx.ir.expr import parse_expression, to_sympy
from ratemlx.ir.fold import constant_value
from ratemlx.source import Text
from ratemlx.transfer.numeric import compute

VALUES = {"a": 0.75, "b": -1.25, "c": 2.5}
PIECES = [
    *"abc0123.()[]+-*/^<>=,! \n",
    "**",
    "<=",
    "and",
    "or",
    "not",
    "exp",
    "where",
    "diff",
    "F",
    "P",
    "1e3",
    "'",
    "{",
]

leaves = st.sampled_from(["a", "b", "c", "0.5", "3", "1.25e-1", "pi"])


def _grow(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(children, children)
    return st.one_of(
        st.builds("({0[0]} {1} {0[1]})".format, pairs, st.sampled_from("+-*")),
        st.builds("-{}".format, children),
        st.builds("({})^2".format, children),
        st.builds("{}(tanh({}))".format, st.sampled_from(["exp", "sin", "abs", "heaviside", "erf"]), children),
        st.builds("{1}({0[0]}, {0[1]})".format, pairs, st.sampled_from(["min", "max"])),
        st.builds("where({0[0]} < {0[1]}, {0[1]}, {0[0]})".format, pairs),
        st.builds("({0[0]} / (2 + sin({0[1]})))".format, pairs),
    )


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_with_a_message(written: str) -> None:
    with suppress(ModelError):
        parse_expression(Text(written))


@given(st.recursive(leaves, _grow, max_leaves=12))
@settings(max_examples=100, deadline=None)
def test_sympy_and_direct_evaluation_agree(written: str) -> None:
    try:
        tree = parse_expression(Text(written))
    except ModelError:
        return
    direct = constant_value(tree, {**VALUES, "pi": math.pi})
    assert direct is not None
    exact = compute(to_sympy(tree), {name: np.asarray(value) for name, value in VALUES.items()})
    assert math.isclose(float(exact), direct, rel_tol=1e-9, abs_tol=1e-9)
