"""Each of RateML's spellings by itself, rewritten in the modern one."""

from __future__ import annotations

import pytest

from ratemlx.lems import parse_text
from ratemlx.lems.modernise import modernise
from ratemlx.lems.values import modern_spelling

FRAME = """<Lems name="small">
    <ComponentType name="derivatives">
        {quantities}
        <Exposure name="x" value="x"/>
        <Dynamics>
            <StateVariable name="x" initial="0"/>
            {dynamics}
        </Dynamics>
    </ComponentType>
    {components}
</Lems>
"""
Y = '<TimeDerivative variable="y" value="0"/>'
EQUATION = '<TimeDerivative variable="x" value="-x"/>'


def small(quantities: str = "", dynamics: str = EQUATION, components: str = "") -> str:
    """A small model file."""
    return FRAME.format(quantities=quantities, dynamics=dynamics, components=components)


def converted(text: str) -> str:
    return modernise(parse_text(text, "small.xml"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.0f + 2.f * x", "1.0 + 2. * x"),
        ("{x^2} + 1", "x^2 + 1"),
        ("-{x^2}", "-x^2"),
        ("{x^2}^3", "(x^2)^3"),
        ("2^{x^2}", "2^(x^2)"),
        ("sqrt{x^2}", "sqrt(x^2)"),
        ("{-1^2} * 3", "(-1^2) * 3"),
        ("{(a + b) ^ 2.0f}", "(a + b)^2.0"),
    ],
)
def test_expressions(old: str, new: str) -> None:
    assert modern_spelling(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Parameter name='p' dimension='0, 1'/>", "<Parameter name='p' range='0, 1'/>"),
        ('<Parameter name="p" dimension="1, 2" range="0, 1"/>', '<Parameter name="p" range="0, 1"/>'),
        ('<Constant name="c" default="[1, 2]" domain="lo=0"/>', '<Constant name="c" value="1, 2"/>'),
        ('<Constant name="c" value=" [1.0f] "/>', '<Constant name="c" value="1.0"/>'),
        ('<DerivedParameter name="d" expression="2"/>', '<DerivedParameter name="d" value="2"/>'),
        ('<Exposure name="x * 2" dimension="x"/>', '<Exposure name="x_2" value="x * 2"/>'),
        ('<Exposure name="2 * {x^2}"/>', '<Exposure name="value_2_x_2" value="2 * x^2"/>'),
        (
            '<Exposure name="where(x &gt; 1, 1, x)" />',
            '<Exposure name="where_x_1_1_x" value="where(x &gt; 1, 1, x)" />',
        ),
        ('<Constant name="c" value="1" description="a &lt; b &amp; {x^2}"/>', None),
    ],
)
def test_quantities(old: str, new: str | None) -> None:
    assert converted(small(old)) == small(new or old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<TimeDerivative variable="dx" value="-x"/>', EQUATION),
        (
            f'<ConditionalDerivedVariable name="c"><Case condition="x &lt; {{y^2}} and x &gt; 0" value="1"/>'
            f'<Case condition="else" value="0"/></ConditionalDerivedVariable>{EQUATION}',
            f'<ConditionalDerivedVariable name="c"><Case condition="x &lt; y^2 and x &gt; 0" value="1"/>'
            f'<Case value="0"/></ConditionalDerivedVariable>{EQUATION}',
        ),
        (
            f'<StateVariable name="y" dimension="2, 1" exposure="-inf, 3"/>{EQUATION}{Y}',
            f'<StateVariable name="y" initial="1, 2" bounds="-inf, 3"/>{EQUATION}{Y}',
        ),
    ],
)
def test_dynamics(old: str, new: str) -> None:
    assert converted(small(dynamics=old)) == small(dynamics=new)


def test_parts_of_a_coupling_that_are_not_there() -> None:
    old = """<ComponentType name="coupling_1">
        <DerivedParameter name="c" expression="None"/>
        <Dynamics>
            <DerivedVariable name="pre" value="x"/>
            <DerivedVariable name="post" value="None"/>
        </Dynamics>
    </ComponentType>"""
    new = """<ComponentType name="coupling_1">
        <DerivedParameter name="c"/>
        <Dynamics>
            <DerivedVariable name="pre" value="x"/>
        </Dynamics>
    </ComponentType>"""
    assert converted(small(components=old)) == small(components=new)


SPEED = '<DerivedParameter name="rec_speed_dt" value="{}"/>'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SPEED.format("1.0f / 3.0f / dt"), '<Constant name="conduction_speed" value="3.0"/>'),
        (
            '<Constant name="global_speed" value="4"/>' + SPEED.format("1 / global_speed / dt"),
            '<Constant name="global_speed" value="4"/>',
        ),
        (
            '<Parameter name="global_speed" range="1, 4"/>' + SPEED.format("1 / (global_speed * dt)"),
            '<Parameter name="global_speed" range="1, 4"/>',
        ),
    ],
)
def test_speeds(old: str, new: str) -> None:
    assert converted(small(old)) == small(new)


def test_no_delays_are_said_by_an_attribute() -> None:
    old = small(SPEED.format("0"))
    assert converted(old) == small("{line}").replace("        {line}\n", "").replace(
        'name="small"', 'name="small" delays="false"'
    )


@pytest.mark.parametrize(
    ("strength", "sigma"),
    [
        ("sqrt(dt) * sqrt(2.0 * 1e-5)", "sqrt(2.0 * 1e-5)"),
        ("sqrt(2.0f) * sqrt(dt)", "(sqrt(2.0) * sqrt(dt))/sqrt(dt)"),
        ("0.01", "0.01"),
    ],
)
def test_noise_is_written_out(strength: str, sigma: str) -> None:
    helper = f'<DerivedParameter name="nsig" value="{strength}"/>'
    noise = f'<Noise variable="x" type="additive" sigma="{sigma}"/>'
    new = f'<ComponentType name="noise">\n        {noise}\n    </ComponentType>'
    expected = small("{line}", components=new).replace("        {line}\n", "")
    for old in (
        '<ComponentType name="noise"/>',
        '<ComponentType name="noise"  />',
        '<ComponentType name="noise">\n    </ComponentType>',
    ):
        assert converted(small(helper, components=old)) == expected


def test_a_name_that_was_the_file_s_is_written_down() -> None:
    text = small().replace(' name="small"', "")
    assert modernise(parse_text(text, "folder/other.xml")) == small().replace("small", "other")


def test_the_encoding_becomes_that_of_the_written_file() -> None:
    declaration = "<?xml version='1.0' encoding='{}'?>\n"
    text = declaration.format("ISO-8859-1") + small().replace('name="small"', 'name="small" description="é"')
    document = parse_text(text.encode("latin-1"), "small.xml")
    assert modernise(document) == text.replace("ISO-8859-1", "UTF-8")
