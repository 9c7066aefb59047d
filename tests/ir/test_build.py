"""Models that build: what becomes of each element."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from ratemlx.errors import ModelError, RatemlxError
from ratemlx.ir.names import symbol
from ratemlx.ir.verify import verify
from ratemlx.load import load
from ratemlx.resources import shipped_models
from ratemlx.transfer.base import Coefficient, Result
from ratemlx.transfer.decorator import Let, transfer_function
from ratemlx.transfer.registry import TransferRegistry
from tests.ir.texts import build, model_text

x = symbol("x")


@transfer_function(arguments=["u", "v"], coefficients=["k", Coefficient("P", size=2)], outputs={"R": "", "half": ""})
def ramp(let: Let, u: sp.Symbol, v: sp.Symbol, k: sp.Symbol, P: tuple[sp.Symbol, ...]) -> None:
    """A ramp."""
    half = let("half", P[0] * u / 2)
    let("R", k * half + P[1] * v)


REGISTRY = TransferRegistry({"ramp": ramp})
USE = (
    '<TransferFunction name="F" plugin="ramp" {0}><Argument name="u" value="x"/><Argument name="v" value="1"/>'
    "{1}</TransferFunction>"
)
DERIVATIVE = '<TimeDerivative variable="x" value="-x + F + F.half + diff(F, u)"/>'


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_models_build_without_remarks(name: str) -> None:
    model = load(name)
    verify(model)
    assert model.name == name
    assert model.warnings == ()


@pytest.mark.parametrize("name", ["epileptor", "kuramoto", "montbrio", "oscillator", "rwongwang", "rwongwang_deco"])
def test_models_of_rateml_build(name: str, rateml_models: Path) -> None:
    model = load(rateml_models / f"{name}.xml")
    verify(model)
    assert len(model.time_derivatives) == len(model.state_variables)


def test_adex_is_read_as_written() -> None:
    model = load("adex")
    derivatives = dict(model.time_derivatives)
    names = ("W_e", "tau_w_e", "b_e", "E", "a_e", "E_L_e")
    w, tau, b, rate, a, leak = (symbol(name) for name in names)
    mu = Result("F_e", "mu_V").symbol
    assert sp.expand(derivatives["W_e"] - (-w / tau + b * rate + a * (mu - leak) / tau)) == 0
    assert "ou" not in derivatives
    use = {item.name: item for item in model.transfer_uses}["F_i"]
    assert dict(use.arguments)["nu_e_ext"] == symbol("input_in_ex")
    assert dict(use.coefficients)["E_L"] == symbol("E_L_i")
    assert dict(use.coefficients)["P[9]"] == symbol("P_i[9]")
    assert dict(use.coefficients)["g_L"] == symbol("g_L")
    assert dict(use.coefficients)["nu_0"] == sp.Rational(1, 10**6)


def test_values_may_be_arithmetic() -> None:
    model = build(
        model_text(
            '<Constant name="omega" value="2 * pi * 60 / 1000"/><Constant name="P" value="1, -2e-3"/>',
            state='<StateVariable name="x" initial="0, 2 * pi" bounds="-inf, 10"/>',
            dynamics='<TimeDerivative variable="x" value="omega * P[0] + P[1]"/>',
        )
    )
    assert [(item.name, item.value) for item in model.constants] == [
        ("omega", 2 * math.pi * 60 / 1000),
        ("P[0]", 1.0),
        ("P[1]", -0.002),
    ]
    (state,) = model.state_variables
    assert (state.initial, state.bounds) == ((0.0, 2 * math.pi), (None, 10.0))


def test_a_default_is_the_middle_of_the_range() -> None:
    parameters = '<Parameter name="a" range="1, 4"/><Parameter name="b" range="1, 4" scale="log"/>'
    model = build(model_text(parameters, dynamics='<TimeDerivative variable="x" value="-a * x + b"/>'))
    assert [(item.default, item.scale) for item in model.parameters] == [(2.5, "linear"), (2.0, "log")]


def test_equal_ends_of_a_range_are_a_value() -> None:
    model = build(
        model_text('<Parameter name="a" range="2, 2"/>', dynamics='<TimeDerivative variable="x" value="-a * x"/>')
    )
    assert (model.parameters[0].default, model.parameters[0].range) == (2.0, None)


def test_derived_quantities_are_put_in_order() -> None:
    model = build(
        model_text(
            '<DerivedParameter name="b" value="a + 1"/><DerivedParameter name="a" value="dt * n_node"/>',
            dynamics='<DerivedVariable name="q" value="p^2"/><DerivedVariable name="p" value="x + b"/>'
            '<TimeDerivative variable="x" value="-q"/>',
        )
    )
    assert [item.name for item in model.derived_parameters] == ["a", "b"]
    assert [item.name for item in model.derived_variables] == ["p", "q"]


def test_cases_become_a_piecewise_expression() -> None:
    model = build(
        model_text(
            '<Parameter name="flag" range="0, 1"/>',
            dynamics='<ConditionalDerivedVariable name="q"><Case condition="x &lt; 0" value="1"/>'
            '<Case condition="flag" value="2"/><Case value="x"/></ConditionalDerivedVariable>'
            '<TimeDerivative variable="x" value="-q"/>',
        )
    )
    expected = sp.Piecewise((1, x < 0), (2, sp.Ne(symbol("flag"), 0)), (x, True))
    assert sp.piecewise_fold(model.derived_variables[0].expression) == expected


def test_a_coupling_with_its_own_constants() -> None:
    component = (
        '<ComponentType name="coupling_one"><Parameter name="x_j" source="x"/><Constant name="k" value="3"/>'
        '<DerivedParameter name="c" value="k"/><Dynamics><DerivedVariable name="pre" value="sin(x_j - x)"/>'
        '<DerivedVariable name="post" value="total / (1 + total^2)"/></Dynamics></ComponentType>'
    )
    dynamics = '<TimeDerivative variable="x" value="c - x"/>'
    model = build(model_text(dynamics=dynamics, components=component))
    (coupling,) = model.couplings
    total = symbol("total")
    assert coupling.sources == (("x_j", "x"),)
    assert sp.simplify(coupling.pre - sp.sin(symbol("x_j") - x)) == 0
    assert coupling.post == total / (1 + total**2)
    assert coupling.factor == symbol("k")
    assert [(item.name, item.value) for item in model.constants] == [("k", 3.0)]


def test_coefficients_come_from_binding_file_name_and_default(tmp_path: Path) -> None:
    (tmp_path / "coefficients.json").write_text(json.dumps({"P": [0.1, 0.2], "k": 7}), encoding="utf-8")
    use = USE.format('coefficients="coefficients.json"', '<Coefficient name="k" value="2 * m"/>')
    constants = '<Constant name="m" value="3"/><Constant name="P" value="5, 6"/>'
    model = build(model_text(constants + use, dynamics=DERIVATIVE), REGISTRY, tmp_path)
    assert dict(model.transfer_uses[0].coefficients) == {
        "k": 2 * symbol("m"),
        "P[0]": sp.Rational(1, 10),
        "P[1]": sp.Rational(1, 5),
    }
    assert [item.message for item in model.warnings] == ["nothing uses the vector constant 'P'"]


def test_coefficients_take_quantities_of_the_same_name() -> None:
    constants = '<Parameter name="k" range="0, 3"/><Constant name="P" value="5, 6"/>'
    model = build(model_text(constants + USE.format("", ""), dynamics=DERIVATIVE), REGISTRY)
    coefficients = dict(model.transfer_uses[0].coefficients)
    assert coefficients == {"k": symbol("k"), "P[0]": symbol("P[0]"), "P[1]": symbol("P[1]")}
    assert model.warnings == ()


def test_a_plugin_with_a_unit_that_is_none() -> None:
    function = replace(ramp, outputs=(("R", "furlong"), ("half", "")))
    with pytest.raises(ModelError) as caught:
        build(model_text(USE.format("", ""), dynamics=DERIVATIVE), TransferRegistry({"ramp": function}))
    first = caught.value.diagnostics[0]
    assert first.message == "transfer function 'ramp' states the unit 'furlong' of 'R': unknown unit 'furlong'"


def test_a_transfer_function_of_the_file() -> None:
    component = (
        '<ComponentType name="transfer_bend" description="A bend"><Argument name="u"/>'
        '<Constant name="k" value="2"/><Dynamics><DerivedVariable name="out" value="s * k"/>'
        '<DerivedVariable name="s" value="tanh(u)"/></Dynamics><Exposure name="out"/></ComponentType>'
    )
    use = '<TransferFunction name="F" plugin="bend"><Argument name="u" value="x"/></TransferFunction>'
    dynamics = '<TimeDerivative variable="x" value="F - x"/>'
    function = build(model_text(use, dynamics=dynamics, components=component)).transfer_uses[0].function
    u, k, s = symbol("u"), symbol("k"), symbol("s")
    assert function.statements == (("s", sp.tanh(u)), ("out", k * s))
    assert function.outputs == (("out", ""),)
    assert (function.coefficients[0].default, function.description) == (2.0, "A bend")


def test_remarks() -> None:
    model = build(
        model_text(
            '<Parameter name="a" range="0, 1" default="2"/><Constant name="k" value="1"/>',
            state='<StateVariable name="x" initial="-1, 1" bounds="0, inf"/>',
            dynamics='<TimeDerivative variable="x" value="-a * x"/>',
        )
    )
    assert model.state_variables[0].initial == (0.0, 1.0)
    assert [item.message for item in model.warnings] == [
        "the default of 'a' lies outside its range",
        "part of the range from which 'x' starts lies outside its bounds and is cut off",
        "nothing uses the constant 'k'",
    ]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("adx", "there is no model 'adx'", "did you mean 'adex'?"),
        ("folder/adx.xml", "there is no file folder/adx.xml", "did you mean 'adex'?"),
    ],
)
def test_a_model_that_is_not_there(name: str, message: str, hint: str) -> None:
    with pytest.raises(RatemlxError) as caught:
        load(name)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_model_that_is_written_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_model.xml").write_text("<Lems/>")
    (tmp_path / "empty").mkdir()
    generated = "give an XML file, or a folder that `ratemlx generate` wrote, with a manifest.json in it"
    for name, message, hint in (
        ("my_model", "there is no model 'my_model'", "did you mean the file my_model.xml?"),
        (".", ". is a folder, not a model", "did you mean my_model.xml?"),
        ("empty", "empty is a folder, not a model", generated),
    ):
        with pytest.raises(RatemlxError) as caught:
            load(name)
        assert (caught.value.message, caught.value.hint) == (message, hint)
