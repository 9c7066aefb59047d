"""The modern model language: what each element becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.errors import ModelError
from ratemlx.lems import parse_file
from ratemlx.lems.document import ConditionalDerivedVariableNode
from ratemlx.resources import shipped_models
from tests.lems.files import codes, faults, model, parse


@pytest.mark.parametrize("path", shipped_models().values(), ids=shipped_models())
def test_shipped_models_are_in_the_modern_spelling(path: Path) -> None:
    document = parse_file(path)
    assert document.warnings == ()
    assert document.name == path.stem
    assert document.delays


def test_adex_has_its_parts() -> None:
    document = parse_file(shipped_models()["adex"])
    assert [len(part) for part in (document.parameters, document.state_variables, document.time_derivatives)] == [
        10,
        8,
        7,
    ]
    noise = document.parameters[2]
    assert [item.value for item in (noise.name, *noise.range, noise.default, noise.scale, noise.unit)] == [
        "weight_noise", "1e-9", "1e-4", "1e-4", "log", "kHz",
    ]  # fmt: skip
    vector = next(node for node in document.constants if node.name.value == "P_e")
    assert [value.value for value in vector.values[:2]] == ["-0.0498", "0.00506"]
    assert vector.values[1].span.text == "0.00506"
    use = document.transfer_functions[0]
    assert (use.name.value, use.plugin.value, use.coefficients_file) == ("F_e", "zerlaut", None)
    assert [(binding.kind, binding.name.value, binding.value.value) for binding in use.bindings[-2:]] == [
        ("coefficient", "E_L", "E_L_e"),
        ("coefficient", "P", "P_e"),
    ]
    rate = document.state_variables[0]
    assert ([value.value for value in rate.initial], rate.bounds[0].value, rate.bounds[1]) == (["0"], "0", None)
    coupling = document.couplings[0]
    assert coupling.component.value == "coupling_long_range"
    assert [(source.name.value, source.source.value) for source in coupling.sources] == [("E_j", "E")]
    assert (coupling.name.value, coupling.pre.value, coupling.post.value, coupling.factor.value) == (
        "c_pop0", "E_j", "1", "global_coupling",
    )  # fmt: skip


def test_cases_keep_their_order_and_the_last_has_no_condition() -> None:
    cases = '<Case condition="x &gt; 1" value="1"/><Case value="0"/>'
    document = parse(model(dynamics=f'<ConditionalDerivedVariable name="y">{cases}</ConditionalDerivedVariable>'))
    node = document.derived_variables[0]
    assert isinstance(node, ConditionalDerivedVariableNode)
    assert [(str(case.condition), case.value.value) for case in node.cases] == [("x > 1", "1"), ("None", "0")]
    assert node.cases[0].condition.place(2, 3).text == "&gt;"


def test_a_transfer_function_can_be_defined_in_the_file() -> None:
    definition = """
        <ComponentType name="transfer_relu" description="Rectified" reference="None, 2000">
            <Argument name="a" unit="mV"/>
            <Constant name="slope" value="2" unit="kHz/mV"/>
            <Dynamics><DerivedVariable name="rate" value="slope * max(a, 0)" unit="kHz"/></Dynamics>
            <Exposure name="rate"/>
        </ComponentType>"""
    (node,) = parse(model(rest=definition)).transfer_definitions
    assert (node.name.value, node.name.span.text, node.reference) == ("relu", "relu", "None, 2000")
    assert [(name.value, unit.value) for name, unit in node.arguments] == [("a", "mV")]
    assert [(item.name.value, item.values[0].value) for item in node.coefficients] == [("slope", "2")]
    assert [(item.name.value, item.value.value) for item in node.statements] == [("rate", "slope * max(a, 0)")]
    assert [output.value for output in node.outputs] == ["rate"]


def test_one_component_may_have_several_terms() -> None:
    component = """
        <ComponentType name="coupling_two">
            <Parameter name="x_j" source="x"/><Constant name="k" value="2"/>
            <TransferFunction name="S" plugin="sigmoid"><Argument name="x" value="x_j"/></TransferFunction>
            <DerivedParameter name="c_one" value="1"/><DerivedParameter name="c_two"/>
            <Dynamics><DerivedVariable name="pre" value="k * x_j"/></Dynamics>
        </ComponentType>"""
    one, two = parse(model(rest=component)).couplings
    assert (one.name.value, one.factor.value, two.name.value, two.factor) == ("c_one", "1", "c_two", None)
    assert one.pre is two.pre
    assert one.constants == two.constants
    assert one.transfer_functions is two.transfer_functions
    assert [(use.name.value, use.bindings[0].value.value) for use in one.transfer_functions] == [("S", "x_j")]


@pytest.mark.parametrize(
    ("lems", "derivatives", "delays", "speed"),
    [
        ("", "", True, "None"),
        ('delays="true"', "", True, "None"),
        ('delays="false"', '<Constant name="conduction_speed" value="4"/>', False, "None"),
        ("", '<Constant name="conduction_speed" value="4"/>', True, "4"),
    ],
)
def test_delays_are_stated(lems: str, derivatives: str, delays: bool, speed: str) -> None:
    document = parse(model(derivatives, lems=lems))
    assert (document.delays, str(document.fixed_speed)) == (delays, speed)


def test_two_components_may_read_one_source_under_one_name() -> None:
    term = """<ComponentType name="coupling_{0}"><Parameter name="x_j" source="{1}"/><DerivedParameter name="c_{0}"/>
        <Dynamics><DerivedVariable name="pre" value="x_j"/></Dynamics></ComponentType>"""
    state = '<StateVariable name="y" initial="0"/><TimeDerivative variable="y" value="1"/>'
    assert faults(model(dynamics=state, rest=term.format("a", "x") + term.format("b", "x"))) == []
    assert faults(model(dynamics=state, rest=term.format("a", "x") + term.format("b", "y"))) == ["name-duplicate"]


@pytest.mark.parametrize(
    "text", ["*/", "\\", '"""', "'''", "${7 * 7}", "<% exit() %>", "a\nb", "%>", "## x", "{{ x }}"]
)
def test_descriptions_may_say_anything_on_one_line(text: str) -> None:
    escaped = text.replace("<", "&lt;").replace('"', "&quot;")
    document = parse(model(f'<Constant name="a" value="1" description="{escaped}"/>', lems=f'description="{escaped}"'))
    assert document.description == document.constants[0].description == text.replace("\n", " ")


def test_the_root_may_name_a_schema_for_editors() -> None:
    where = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="ratemlx.xsd"'
    assert codes(parse(model(lems=where))) == []


def test_a_misspelled_element_is_one_message() -> None:
    misspelled = model().replace("StateVariable", "StateVarible").replace("Exposure", "exposure")
    assert faults(misspelled) == ["unknown-element", "unknown-element"]


def test_faults_of_all_stages_come_together_in_the_order_of_the_file() -> None:
    text = model('<Constant name="for" valeu="1"/>', '<DerivedVariable name="y"/><Nothing/>', "stray")
    assert faults(text) == ["name-keyword", "unknown-attribute", "missing-attribute", "unknown-element", "stray-text"]


def test_files_that_cannot_be_read_are_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^error: there is no file .*gone\.xml \[no-such-file\]$"):
        parse_file(tmp_path / "gone.xml")
    with pytest.raises(ModelError, match=r"there is no file .*\[no-such-file\]\n  hint: model files end in .xml$"):
        parse_file(tmp_path)
