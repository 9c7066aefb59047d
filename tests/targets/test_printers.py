"""What expressions look like as source, and that a compiler reads them as SymPy does."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.passes.program import symbol
from ratemlx.resources import INCLUDE
from ratemlx.runtime.devices.compiler import find_compiler
from ratemlx.targets.names import unique_names
from ratemlx.targets.printers import Printer

x, y, z, k = (symbol(name) for name in "xyzk")
PRINTER = Printer({"x": "x", "y": "y", "z": "z", "k": "k"}, frozenset({"k"}))

PRINTED = [
    (x + y * 2, "x + R(2.0) * y"),
    (x - y, "x - y"),
    (1 - x, "R(1.0) - x"),
    (-x - 1, "-x - R(1.0)"),
    (x / y, "x / y"),
    (x / (y * z), "x / (y * z)"),
    ((x + y) * z, "z * (x + y)"),
    (x - (y - z), "x + z - y"),
    (x**2, "square(x)"),
    ((x + 1) ** 3, "cube(x + R(1.0))"),
    (x**7, "power<7>(x)"),
    (x**-2, "R(1.0) / square(x)"),
    (sp.sqrt(x), "sqrt(x)"),
    (x ** sp.Rational(-1, 2), "R(1.0) / sqrt(x)"),
    (x ** sp.Rational(3, 2), "x * sqrt(x)"),
    (x**y, "pow(x, y)"),
    (2**x, "pow(splat(R(2.0)), x)"),
    (sp.exp(-x), "exp(-x)"),
    (sp.exp(k), "exp(splat(k))"),
    (sp.Max(x, 0), "maximum(x, splat(R(0.0)))"),
    (sp.Min(2, x), "minimum(x, splat(R(2.0)))"),
    (sp.Piecewise((x, x > 1), (y, True)), "select((x > splat(R(1.0))), x, y)"),
    (sp.Piecewise((x, sp.And(x > y, y < k)), (0, True)), "select(both((splat(k) > y), (x > y)), x, splat(R(0.0)))"),
    (sp.Rational(1, 3) * x, "R(0.3333333333333333) * x"),
    (sp.pi * x, "R(3.141592653589793) * x"),
    (sp.Float("1e-30") * x, "R(1e-30) * x"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "text"), PRINTED)
def test_prints(expression: sp.Expr, text: str) -> None:
    assert PRINTER.real(expression) == text


def test_scalars_become_reals_where_a_real_is_needed() -> None:
    assert PRINTER.real(k * 2) == "splat(R(2.0) * k)"


@pytest.mark.parametrize("expression", [symbol("unknown"), sp.gamma(x), sp.nan])
def test_refuses_what_it_does_not_know(expression: sp.Expr) -> None:
    with pytest.raises(InternalError):
        PRINTER.real(expression)


COMPILED = [
    x - (y - z) * -2 / (x + 3),
    -(x**2) / -y + (x - y) ** 3 - 2,
    (x + y) ** 5 / (1 + sp.exp(-x * y)) ** 2,
    sp.Piecewise((x + 1, sp.Or(x > y, z < 0)), (-x, sp.Not(sp.And(y > 1, z > 1))), (sp.tanh(z), True)),
    sp.Max(x, y, z, sp.Rational(1, 2)) - sp.Min(x, -y),
    sp.Abs(x - 3) ** sp.Rational(3, 2) + sp.log(1 + x**2) * sp.erfc(y / 2) - sp.floor(z * 3) + sp.ceiling(x * y),
    sp.sin(x) * sp.cos(y) + sp.tan(z / 3) * sp.sinh(x) - sp.cosh(y) + sp.erf(z) * x**-3,
]


@pytest.mark.parametrize("dialect", ["simd", "emulate"])
def test_a_compiler_reads_what_was_printed_as_sympy_does(dialect: str, tmp_path: Path) -> None:
    assignments = "\n".join(f"out[{i}] = {PRINTER.real(item)};" for i, item in enumerate(COMPILED))
    source = f"""
        #include "ratemlx/{dialect}.h"
        void evaluate(const real &x, const real &y, const real &z, scalar k, real *out) {{ (void)k; {assignments} }}
        extern "C" void run(const scalar *in, scalar *all)
        {{
            real out[{len(COMPILED)}];
            evaluate(splat(in[0]), splat(in[1]), splat(in[2]), in[3], out);
            for (int i = 0; i < {len(COMPILED)}; ++i) __builtin_memcpy(all + i, out + i, sizeof(scalar));
        }}"""
    path = tmp_path / "expressions.cpp"
    path.write_text(source, encoding="utf-8")
    library = tmp_path / "expressions.so"
    options = ["-std=c++17", "-O1", "-march=native", "-shared", "-fPIC", "-DRATEMLX_FLOAT64", "-DRATEMLX_LANES=4"]
    subprocess.run([*find_compiler().command, *options, f"-I{INCLUDE}", str(path), "-o", str(library)], check=True)
    function = ctypes.CDLL(str(library)).run
    for values in ((0.3, 1.7, 0.9, 1.0), (2.5, 0.25, -0.8, 1.0), (-1.25, 1.5, 1.75, 1.0)):
        given, found = np.array(values), np.empty(len(COMPILED))
        function(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(found.ctypes.data))
        point = dict(zip((x, y, z, k), values, strict=True))
        expected = [float(item.subs(point)) for item in COMPILED]
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_names_become_identifiers_that_differ() -> None:
    names = unique_names(["F_e.mu_V", "F_e_mu_V", "diff(F, a)", "P[3]", "real", "int", "1st", "a__b", "__x"])
    assert names == {
        "F_e.mu_V": "F_e_mu_V",
        "F_e_mu_V": "F_e_mu_V_2",
        "diff(F, a)": "diff_F_a",
        "P[3]": "P_3",
        "real": "real_",
        "int": "int_",
        "1st": "v_1st",
        "a__b": "a_b",
        "__x": "x",
    }
