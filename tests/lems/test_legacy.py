"""RateML's spellings: what each becomes, and the one warning that each gives."""

from __future__ import annotations

import pytest

from ratemlx.ir.model import CONDUCTION_SPEED
from ratemlx.lems.delays import CONDUCTION_SPEED as SPEED_NAMES
from ratemlx.lems.legacy import SPELLINGS
from tests.lems.files import codes, faults, model, parse

NOISE = '<ComponentType name="noise"/>'


def test_a_range_is_called_dimension() -> None:
    document = parse(model('<Parameter name="p" dimension="0.1f, 2"/><Parameter name="q" dimension="1, 2"/>'))
    assert [bound.value for bound in document.parameters[0].range] == ["0.1 ", "2"]
    assert codes(document) == ["legacy-range", "legacy-float"]


@pytest.mark.parametrize(
    ("attributes", "initial", "bounds", "warnings"),
    [
        ('dimension="1, 2"', ["1", "2"], ["None", "None"], ["legacy-initial"]),
        ('dimension="1.0, 1"', ["1.0"], ["None", "None"], ["legacy-initial"]),
        ('dimension="2, -1"', ["-1", "2"], ["None", "None"], ["legacy-initial", "legacy-reversed"]),
        ('dimension="pi, 3"', ["pi", "3"], ["None", "None"], ["legacy-initial"]),
        ('initial="0" exposure="0.0, inf"', ["0"], ["0.0", "None"], ["legacy-bounds"]),
        ('initial="0" exposure="-inf, 1"', ["0"], ["None", "1"], ["legacy-bounds"]),
        ('initial="0" exposure="1.0, None"', ["0"], ["1.0", "None"], ["legacy-bounds"]),
        ('initial="0" exposure="None"', ["0"], ["None", "None"], ["legacy-bounds"]),
        ('initial="0" exposure=""', ["0"], ["None", "None"], ["legacy-bounds"]),
    ],
)
def test_state_variables_have_dimension_and_exposure(
    attributes: str, initial: list[str], bounds: list[str], warnings: list[str]
) -> None:
    document = parse(model(state=f'<StateVariable name="x" {attributes}/>'))
    (state,) = document.state_variables
    assert [value.value for value in state.initial] == initial
    assert [str(bound) for bound in state.bounds] == bounds
    assert codes(document) == warnings


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('name="x" dimension=""', "x", "x"),
        ('name="x * 2 - y" dimension="x"', "x_2_y", "x * 2 - y"),
        ('name="{x^2}"', "x_2", "(x^2)"),
        ('name="2 * x"', "value_2_x", "2 * x"),
    ],
)
def test_the_name_of_an_exposure_is_its_expression(text: str, name: str, value: str) -> None:
    document = parse(model(exposure=f"<Exposure {text}/>"))
    assert [(node.name.value, node.value.value) for node in document.exposures] == [(name, value)]
    assert "legacy-exposure" in codes(document)


def derivatives_of(states: str, derivatives: str) -> list[str]:
    state = "".join(f'<StateVariable name="{name}" initial="0"/>' for name in states.split())
    equation = "".join(f'<TimeDerivative variable="{name}" value="0"/>' for name in derivatives.split())
    exposure = f'<Exposure name="{states.split()[0]}" value="0"/>'
    document = parse(model(state=state, equation=equation, exposure=exposure))
    return [node.variable.value for node in document.time_derivatives]


def test_derivatives_have_a_d_before_the_name() -> None:
    assert derivatives_of("V W", "dV dW") == ["V", "W"]
    assert derivatives_of("V W", "V dW") == ["V", "W"]


def test_state_variables_may_begin_with_d() -> None:
    assert derivatives_of("V dV", "V dV") == ["V", "dV"]
    assert derivatives_of("V dV", "dV ddV") == ["V", "dV"]
    assert derivatives_of("d dd", "dd d") == ["dd", "d"]


@pytest.mark.parametrize(
    ("attributes", "values", "warnings"),
    [
        ('default="2" domain="lo=1, hi=2"', ["2"], ["legacy-domain", "legacy-value"]),
        ('dimension="" value="60.0 * 2.0 / 1e3"', ["60.0 * 2.0 / 1e3"], ["legacy-domain"]),
        ('value="[1, 2.5, max(1, 2)]"', ["1", "2.5", "max(1, 2)"], ["legacy-vector"]),
        ('value="1.5e3f"', ["1.5e3 "], ["legacy-float"]),
    ],
)
def test_constants(attributes: str, values: list[str], warnings: list[str]) -> None:
    document = parse(model(f'<Constant name="a" {attributes}/>'))
    assert [value.value for value in document.constants[0].values] == values
    assert sorted(codes(document)) == warnings


def test_a_repeated_constant_counts_once_and_a_contradiction_is_a_fault() -> None:
    document = parse(model('<Constant name="a" value="1"/><Constant name="a" value="1"/>'))
    assert [node.name.value for node in document.constants] == ["a"]
    assert codes(document) == ["repeated-constant"]
    assert faults(model('<Constant name="a" value="1"/><Constant name="a" value="2"/>')) == ["name-duplicate"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{x^2} - {tau_e^2.5}", "(x^2) - (tau_e^2.5)"),
        ("{(x + 1)^2}", "((x + 1)^2)"),
        ("{exp(x)^-2}", "(exp(x)^-2)"),
        ("1.0f / .5f + 2e-3F", "1.0  / .5  + 2e-3 "),
        ("a1f + 0x1f + 1.f", "a1f + 0x1f + 1. "),
    ],
)
def test_powers_and_numbers_keep_every_character_in_place(old: str, new: str) -> None:
    document = parse(model(dynamics=f'<DerivedVariable name="y" value="{old}"/>'))
    value = document.derived_variables[0].value
    assert value.value == new
    assert len(new) == len(old) == value.span.end - value.span.start


def test_powers_that_rateml_reads_in_two_ways_are_refused() -> None:
    for power in ("{-x^2}", "{x + 1^2}", "{(x) + (1)^2}", "{x^2 + 1}"):
        assert faults(model(dynamics=f'<DerivedVariable name="y" value="{power}"/>')) == ["ambiguous-power"]


COUPLING = """<ComponentType name="my_coupling"><Parameter name="x_j" dimension="0"/>
    <DerivedParameter name="c_pop0" value="None"/>
    <Dynamics><DerivedVariable name="pre" value="x_j"/><DerivedVariable name="post" value="None"/></Dynamics>
    </ComponentType>"""


def test_a_coupling_names_its_source_by_number() -> None:
    document = parse(model(rest=COUPLING))
    (coupling,) = document.couplings
    assert [(source.name.value, source.source.value) for source in coupling.sources] == [("x_j", "x")]
    assert (coupling.factor, coupling.post) == (None, None)
    assert codes(document) == ["legacy-no-delays", "legacy-source", "legacy-none"]
    assert not document.delays


@pytest.mark.parametrize(
    ("value", "delays", "speed"),
    [
        ("1.0f / global_speed / (dt)", True, "None"),
        ("1/(global_speed * dt)", True, "None"),
        ("1.0f / 1.0 / dt", True, "1.0"),
        ("1 / fixed / dt", True, "2 * 1.5"),
        ("0", False, "None"),
        ("0.0f", False, "None"),
    ],
)
def test_the_conduction_speed_is_in_rec_speed_dt(value: str, delays: bool, speed: str) -> None:
    derivatives = f"""<Parameter name="global_speed" range="1, 2"/><Constant name="fixed" value="2 * 1.5"/>
        <DerivedParameter name="rec_speed_dt" value="{value}"/>"""
    document = parse(model(derivatives, rest=COUPLING))
    assert (document.delays, str(document.fixed_speed)) == (delays, speed)
    assert document.derived_parameters == ()
    assert "legacy-speed" in codes(document)


def test_helpers_stay_where_an_expression_uses_them() -> None:
    helpers = '<DerivedParameter name="rec_n" value="1 / n_node"/><DerivedParameter name="local_coupling" value="0"/>'
    document = parse(model(helpers, dynamics='<DerivedVariable name="y" value="rec_n * x"/>'))
    assert [node.name.value for node in document.derived_parameters] == ["rec_n"]
    assert codes(document) == ["legacy-helper"]


@pytest.mark.parametrize(
    ("strength", "sigma", "warnings"),
    [
        ("", "1", ["legacy-noise", "legacy-noise-scale"]),
        ('<DerivedParameter name="nsig" value="sqrt(dt) * 2"/>', "(sqrt(dt) * 2)/sqrt(dt)", ["legacy-noise"]),
        ('<DerivedParameter name="nsig" value="0.01"/>', "0.01", ["legacy-noise", "legacy-noise-scale"]),
        ('<Parameter name="nsig" range="0, 1"/>', "nsig", ["legacy-noise", "legacy-noise-scale"]),
    ],
)
def test_an_empty_noise_component_is_noise_on_everything(strength: str, sigma: str, warnings: list[str]) -> None:
    dynamics = '<StateVariable name="y" initial="0"/><TimeDerivative variable="y" value="1"/>'
    document = parse(model(strength, dynamics, NOISE))
    assert [(node.variable.value, node.kind.value, node.sigma.value) for node in document.noises] == [
        ("x", "additive", sigma),
        ("y", "additive", sigma),
    ]
    assert document.derived_parameters == ()
    assert sorted(codes(document)) == warnings


def test_what_is_put_around_an_expression_does_not_move_its_places() -> None:
    document = parse(model('<DerivedParameter name="nsig" value="sqrt(dt) * 2"/>', rest=NOISE))
    sigma = document.noises[0].sigma
    start = sigma.value.index("sqrt")
    assert sigma.place(start, start + 8).text == "sqrt(dt)"


def test_the_last_case_may_say_else() -> None:
    for word in ("else", "", "Else"):
        cases = f'<Case condition="x" value="1"/><Case condition="{word}" value="0"/>'
        document = parse(model(dynamics=f'<ConditionalDerivedVariable name="y">{cases}</ConditionalDerivedVariable>'))
        assert document.derived_variables[0].cases[-1].condition is None
        assert codes(document) == ["legacy-else"]


def test_a_derived_parameter_may_have_an_expression() -> None:
    document = parse(model('<DerivedParameter name="k" expression="2 * 3"/>'))
    assert [node.value.value for node in document.derived_parameters] == ["2 * 3"]
    assert codes(document) == ["legacy-expression"]


def test_every_spelling_says_what_to_write_instead() -> None:
    for code, (message, hint) in SPELLINGS.items():
        assert code.startswith("legacy-")
        assert message
        assert hint


def test_both_sides_know_the_same_names_of_the_conduction_speed() -> None:
    assert SPEED_NAMES == CONDUCTION_SPEED
