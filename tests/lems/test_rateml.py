"""RateML's own model files load unchanged into the expected nodes; its two broken ones are refused clearly."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.errors import ModelError
from ratemlx.lems import Document, parse_file

PARAMETERS = {
    "epileptor": {"global_speed": ("0.0", "2.0"), "global_coupling": ("1.6", "3.0")},
    "kuramoto": {"global_speed": ("1.0", "1.0"), "global_coupling": ("1.0", "1.0")},
    "montbrio": {"global_coupling": ("0.33", "0.5")},
    "oscillator": {"global_speed": ("1.0", "1.0"), "global_coupling": ("1.0", "1.0")},
    "rwongwang": {"global_speed": ("1.0", "1.0"), "global_coupling": ("1.0", "1.0")},
    "rwongwang_deco": {"global_speed": ("1.0", "1.0"), "global_coupling": ("1.0", "1.0")},
}
STATES = {
    "epileptor": {"x1": "-2.,1.", "y1": "-20.,2.", "z": "2.0,5.0", "x2": "-2.,0.", "y2": "0.,2.", "g": "-1.,1."},
    "kuramoto": {"V": "0.0"},
    "montbrio": {"r": "-2.0,0.0", "V": "-2.0,1.5"},
    "oscillator": {"V": "0.0", "W": "0.0"},
    "rwongwang": {"V": "0.0,1.0", "W": "0.0,1.0"},
    "rwongwang_deco": {"S_e": "0.0", "S_i": "0.0", "H_e": "0.0", "I_e": "0.0"},
}
BOUNDS = {
    "epileptor": ["None,None"] * 6,
    "kuramoto": ["-2,1"],
    "montbrio": ["0.0,None", "None,None"],
    "oscillator": ["-2.0,4.0", "-6.0,6.0"],
    "rwongwang": ["0.0,1.0", "0.0,1.0"],
    "rwongwang_deco": ["0.0,1.0", "0.0,1.0", "0.0,150.0", "0.0,30.0"],
}
CONSTANTS = {"epileptor": 18, "kuramoto": 1, "montbrio": 8, "oscillator": 12, "rwongwang": 20, "rwongwang_deco": 20}
COUPLINGS = {
    "epileptor": [
        ("c_pop0", "x1_j=x1", "sin(x1_j - x1)", "1.0", "global_coupling"),
        ("c_pop1", "", "None", "None", "g"),
    ],
    "kuramoto": [("c_pop0", "V_j=V", "sin(V_j - V)", "a", "global_coupling")],
    "montbrio": [("c_pop0", "r_j=r", "r_j", "1", "global_coupling")],
    "oscillator": [("c_pop0", "V_j=V", "V_j", "c_a", "global_coupling")],
    "rwongwang": [("c_pop0", "V_j=V", "V_j", "1", "global_coupling")],
    "rwongwang_deco": [("c_pop0", "V_j=S_e", "V_j", "1", "global_coupling")],
}
NOISE = {"kuramoto": ("V", "(sqrt(dt) * sqrt(2.0 * 1e-5))/sqrt(dt)"), "montbrio": ("r V", "0.01")}

every_model = pytest.mark.parametrize("name", PARAMETERS)


@pytest.fixture
def document(rateml_models: Path, name: str) -> Document:
    return parse_file(rateml_models / f"{name}.xml")


@every_model
def test_parameters_and_constants(document: Document, name: str) -> None:
    assert {node.name.value: tuple(str(end) for end in node.range) for node in document.parameters} == PARAMETERS[name]
    assert len(document.constants) == CONSTANTS[name]
    assert document.derived_parameters == ()


@every_model
def test_state_variables_and_their_derivatives(document: Document, name: str) -> None:
    states = {node.name.value: ",".join(map(str, node.initial)) for node in document.state_variables}
    assert states == STATES[name]
    assert [",".join(map(str, node.bounds)) for node in document.state_variables] == BOUNDS[name]
    assert [node.variable.value for node in document.time_derivatives] == list(STATES[name])


@every_model
def test_couplings(document: Document, name: str) -> None:
    assert [
        (
            node.name.value,
            " ".join(f"{source.name}={source.source}" for source in node.sources),
            *map(str, (node.pre, node.post, node.factor)),
        )
        for node in document.couplings
    ] == COUPLINGS[name]


@every_model
def test_delays_and_noise(document: Document, name: str) -> None:
    assert (document.delays, str(document.fixed_speed)) == (True, "1.0" if name == "montbrio" else "None")
    variables, sigma = NOISE.get(name, ("", ""))
    assert [node.variable.value for node in document.noises] == variables.split()
    assert {(node.kind.value, node.sigma.value) for node in document.noises} <= {("additive", sigma)}


@every_model
def test_each_spelling_is_named_once(document: Document) -> None:
    codes = [item.code for item in document.warnings if item.code != "repeated-constant"]
    assert len(codes) == len(set(codes))
    assert {item.severity for item in document.warnings} == {"warning"}
    assert {"legacy-initial", "legacy-derivative", "legacy-source", "legacy-speed"} <= set(codes)


def test_conditions_of_the_epileptor(rateml_models: Path) -> None:
    document = parse_file(rateml_models / "epileptor.xml")
    shown = {
        node.name.value: [(str(case.condition), case.value.value) for case in node.cases]
        for node in document.derived_variables[1:]
    }
    assert shown["ydot0"] == [("x1 < 0.0", "-a * (x1^2) + b * x1"), ("None", "slope - x2 + 0.6 * (ztmp^2)")]
    assert shown["h"][0] == ("modification", "x0 + 3. / (1. + exp(-(x1 + 0.5) / 0.1))")


def test_the_malformed_zerlaut_is_refused_with_a_hint(rateml_models: Path) -> None:
    with pytest.raises(ModelError) as caught:
        parse_file(rateml_models / "zerlaut.xml")
    (fault,) = caught.value.diagnostics
    assert (fault.message, fault.hint) == ('a bare "&" is not allowed in XML', "write &amp; for the character &")
    assert (fault.span.line, fault.span.text) == (123, "&mu_V")


def test_the_template_is_refused_for_its_placeholders(rateml_models: Path) -> None:
    with pytest.raises(ModelError) as caught:
        parse_file(rateml_models / "model_template.xml")
    assert caught.value.diagnostics[0].message == "'[p_name0]' is a placeholder"
    assert {item.code for item in caught.value.diagnostics} == {
        "name-placeholder", "range", "coupling-source", "coupling-part", "coupling-without-term",
    }  # fmt: skip
