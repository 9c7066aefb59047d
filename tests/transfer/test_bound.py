"""Transfer functions of a model: evaluated, differentiated and plotted without any simulation."""

from __future__ import annotations

import numpy as np
import pytest

from ratemlx.errors import PluginError
from ratemlx.load import load

POINT = {"nu_i": 0.01, "nu_e_ext": 3e-4, "nu_i_ext": 0.0, "W": 10.0}


def test_coefficients_are_those_of_the_model() -> None:
    functions = load("adex").transfer_functions
    assert list(functions) == ["F_e", "F_i"]
    assert functions["F_e"].coefficients["E_L"] == -63.0
    assert functions["F_i"].coefficients["E_L"] == -65.0
    assert functions["F_e"].coefficients["P[9]"] == -0.0407


def test_derivatives_agree_with_differences() -> None:
    function = load("adex").transfer_functions["F_e"]
    step = 1e-6
    above, below = (function.evaluate(nu_e=0.005 + side * step, **POINT)["F"] for side in (1, -1))
    assert function.derivative("nu_e", nu_e=0.005, **POINT) == pytest.approx((above - below) / (2 * step), rel=1e-7)


def test_a_figure_has_a_panel_for_each_output() -> None:
    figure = load("adex").transfer_functions["F_e"].plot(nu_e=np.linspace(0, 0.05, 20), **POINT)
    labels = [panel.get_ylabel() for panel in figure.axes]
    assert labels == ["F (kHz)", "mu_V (mV)", "sigma_V (mV)", "T_V (ms)", "V_thre (mV)"]
    assert figure.axes[-1].get_xlabel() == "nu_e (kHz)"


def test_mistakes() -> None:
    function = load("adex").transfer_functions["F_e"]
    with pytest.raises(PluginError, match="'F_e' has no argument 'nu'"):
        function.evaluate(nu=1.0)
    with pytest.raises(PluginError, match="needs a value of 'nu_e'"):
        function.evaluate(**POINT)
    with pytest.raises(PluginError, match="'F_e' is differentiated by one or two of nu_e, nu_i, nu_e_ext"):
        function.derivative("g_L", nu_e=0.1, **POINT)
    with pytest.raises(PluginError, match="'F_e' is plotted along exactly one argument"):
        function.plot(nu_e=0.1, **POINT)
