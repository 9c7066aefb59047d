"""Names and expressions in LaTeX."""

from __future__ import annotations

import pytest
import sympy as sp

import ratemlx
from ratemlx.describe.equations import couplings, state_equations, transfer_call, transfer_calls
from ratemlx.describe.latex import latex, name_latex


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("E", "E"),
        ("tau_w_e", r"\tau_{w,e}"),
        ("lamda", r"\lambda"),
        ("C_ee", "C_{ee}"),
        ("y0", "y_{0}"),
        ("c_pop0", r"c_{\text{pop0}}"),
        ("nu_e_ext", r"\nu_{e,\text{ext}}"),
        ("global_coupling", r"\text{global\_coupling}"),
        ("P[3]", "P_{3}"),
        ("P_e[3]", "P_{e,3}"),
        ("F_e.mu_V", r"\mu_{V}^{(F_{e})}"),
        ("diff(F, x)", r"\frac{\partial F}{\partial x}"),
        ("diff(F_e, nu_e, nu_i)", r"\frac{\partial^{2} F_{e}}{\partial \nu_{e} \partial \nu_{i}}"),
        ("diff(F, x, x)", r"\frac{\partial^{2} F}{\partial x^{2}}"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert name_latex(name) == expected


def test_sums_begin_with_a_term_without_a_minus_sign() -> None:
    a, b = sp.symbols("a b", real=True)
    assert latex(b - a) == "b - a"
    assert latex(-a - b) == "- a - b"


def test_cases() -> None:
    x = sp.Symbol("x", real=True)
    text = latex(sp.Piecewise((x, x < 0), (0, True)))
    assert text == r"\begin{cases} x & \text{if } x < 0 \\ 0 & \text{otherwise} \end{cases}"


def test_equations_with_noise_and_delayed_coupling() -> None:
    model = ratemlx.load("kuramoto")
    assert list(state_equations(model)) == [
        r"\frac{\mathrm{d} \theta}{\mathrm{d} t} = c_{\text{pop0}} + \omega + \sigma \, \xi_{\theta}(t)"
    ]
    assert list(couplings(model)) == [
        r"c_{\text{pop0}} = \text{global\_coupling} \, "
        r"\sum_{j} w_{ij} \, \left(- \sin{\left(\theta - \theta_{j}(t - \delta_{ij}) \right)}\right)"
    ]


def test_noise_that_is_a_variable_of_its_own() -> None:
    assert list(state_equations(ratemlx.load("adex")))[-1] == (
        r"\frac{\mathrm{d} \text{ou}}{\mathrm{d} t} = \frac{-\text{ou}}{\tau_{OU}} + \sigma_{OU} \, \xi_{\text{ou}}(t)"
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("reduced_wong_wang", r"H = \text{wong\_wang}\left(x = \text{current}\right)"),
        (
            "jansen_rit",
            r"\text{rate\_pyramidal} = \text{sigmoid}\left(x = y_{1} - y_{2};\; \text{amplitude} = 2 \, "
            r"\nu_{\text{max}};\; \text{midpoint} = v_{0};\; \text{slope} = r\right)",
        ),
    ],
)
def test_a_transfer_function_with_what_it_is_given(model: str, expected: str) -> None:
    assert transfer_call(ratemlx.load(model).transfer_uses[0]) == expected


def test_a_transfer_function_of_a_coupling_takes_delayed_states() -> None:
    assert list(transfer_calls(ratemlx.load("jansen_rit")))[-1].startswith(
        r"\text{rate\_tract} = \text{sigmoid}\left(x = y_{1,j}(t - \delta_{ij}) - y_{2,j}(t - \delta_{ij});"
    )


def test_a_vector_of_coefficients_is_named_once() -> None:
    assert transfer_call(ratemlx.load("adex").transfer_uses[0]).endswith(
        r"W = W_{e};\; E_{L} = E_{L,e};\; \nu_{0} = \frac{1}{1000000};\; P = P_{e}\right)"
    )
