"""What expressions look like as Python, and that numbers and arrays of them come out as SymPy says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.passes.program import symbol
from ratemlx.passes.share import ErfcGauss
from ratemlx.targets.python_printer import NumpyPrinter, PythonPrinter
from tests.targets.test_printers import COMPILED

x, y, z, k = (symbol(name) for name in "xyzk")
NAMES = {name: name for name in "xyzk"}
PLAIN, ARRAYS = PythonPrinter(NAMES), NumpyPrinter(NAMES)

PRINTED = [
    (x + y * 2, "x + 2.0 * y", None),
    (x / (y * z), "x / (y * z)", None),
    (x**2, "x**2", None),
    (-(x**2), "-(x**2)", None),
    (-x * y**2, "-x * y**2", None),
    ((x + 1) ** 3, "(x + 1.0) ** 3", None),
    (x**-2, "1.0 / x**2", None),
    (x**y, "x**y", None),
    (2 ** (x + y), "2.0 ** (x + y)", None),
    ((x**y) ** z, "(x**y) ** z", None),
    (sp.sqrt(x), "sqrt(x)", "np.sqrt(x)"),
    (x ** sp.Rational(3, 2), "x * sqrt(x)", "x * np.sqrt(x)"),
    (sp.exp(-x), "exp(-x)", "np.exp(-x)"),
    (sp.Abs(x), "abs(x)", "np.abs(x)"),
    (sp.erfc(x), "erfc(x)", "erfc(x)"),
    (ErfcGauss(x, sp.exp(-(x**2))), "erfc(x)", "erfc(x)"),
    (sp.Max(x, 0), "max(x, 0.0)", "np.maximum(x, 0.0)"),
    (sp.Min(2, x), "min(x, 2.0)", "np.minimum(x, 2.0)"),
    (sp.Piecewise((x, x > 1), (y, True)), "(x if x > 1.0 else y)", "np.where(x > 1.0, x, y)"),
    (
        sp.Piecewise((x, sp.And(x > y, y < k)), (0, True)),
        "(x if (k > y) and (x > y) else 0.0)",
        "np.where((k > y) & (x > y), x, 0.0)",
    ),
    (
        sp.Piecewise((x, sp.Not(sp.And(x > y, y < k), evaluate=False)), (-1, True), evaluate=False),
        "(x if not ((x > y) and (y < k)) else -1.0)",
        "np.where(~((x > y) & (y < k)), x, -1.0)",
    ),
    (sp.oo * sp.Integer(-1), "(-inf)", "(-np.inf)"),
]


@pytest.mark.parametrize(("expression", "text", "array"), PRINTED)
def test_prints(expression: sp.Expr, text: str, array: str | None) -> None:
    assert PLAIN.print(expression) == text
    assert ARRAYS.print(expression) == (array or text)


@pytest.mark.parametrize("expression", [symbol("unknown"), sp.gamma(x), sp.nan])
def test_refuses_what_it_does_not_know(expression: sp.Expr) -> None:
    with pytest.raises(InternalError):
        PLAIN.print(expression)


POINTS = np.array([(0.3, 1.7, 0.9, 1.0), (2.5, 0.25, -0.8, 1.0), (1.25, 1.5, 1.75, 1.0)]).T


@pytest.mark.parametrize("expression", COMPILED)
def test_python_reads_what_was_printed_as_sympy_does(expression: sp.Expr) -> None:
    wanted = [float(expression.subs(dict(zip((x, y, z, k), point, strict=True)))) for point in POINTS.T]
    plain = [
        eval(PLAIN.print(expression), {**vars(math), **dict(zip(NAMES, point, strict=True))}) for point in POINTS.T
    ]
    np.testing.assert_allclose(plain, wanted, rtol=1e-13)
    special = {"np": np, "erf": scipy.special.erf, "erfc": scipy.special.erfc}
    arrays = eval(ARRAYS.print(expression), {**special, **dict(zip(NAMES, POINTS, strict=True))})
    np.testing.assert_allclose(arrays, wanted, rtol=1e-13)
