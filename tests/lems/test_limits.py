"""Files made to exhaust a reader are refused at once: within a second of the processor's time."""

from __future__ import annotations

import pytest

from ratemlx.errors import ModelError
from ratemlx.lems import parse_text
from ratemlx.lems.quoting import suggest
from tests.support.timing import seconds_of

TOO_LARGE = "error: huge.xml is larger than 1 MiB [file-too-large]"

HUGE = {
    "attribute of 11 MB": (b'<Lems name="' + b"a" * 11_000_000 + b'"/>', TOO_LARGE),
    "200,000 attributes": (b"<Lems " + b" ".join(b'a%d="1"' % index for index in range(200_000)) + b"/>", TOO_LARGE),
    "attribute of 1 MB": (
        b'<Lems name="' + b"a" * 1_000_000 + b'"/>',
        "huge.xml:1:13: error: a value of 1,000,000 characters; at most 16,384 are read [value-too-long]",
    ),
    "text of 1 MB": (
        b"<Lems>" + b"a" * 1_000_000 + b"</Lems>",
        "huge.xml:1:7: error: a value of 1,000,000 characters; at most 16,384 are read [value-too-long]",
    ),
    "depth of 5,000": (
        b"<Lems>" * 5000 + b"</Lems>" * 5000,
        "huge.xml:1:193: error: elements are nested more than 32 deep [too-deep]",
    ),
    "70,000 attributes": (
        b"<Lems " + b" ".join(b'a%d="1"' % index for index in range(70_000)) + b"/>",
        "huge.xml:1:253: error: more than 32 attributes on one element [too-many-attributes]",
    ),
    "attributes of many": (
        b"<Lems>" + b'<A a="1" b="1" c="1" d="1" e="1"/>' * 4_100 + b"</Lems>",
        "huge.xml:1:136010: error: more than 20,000 attributes in one file [too-many-attributes]",
    ),
    "80,000 elements": (
        b"<Lems>" + b"<Dynamics/>" * 80_000 + b"</Lems>",
        "huge.xml:1:54996: error: more than 5,000 elements [too-many-elements]",
    ),
    "a million brackets": (b"<" * 1_000_000, 'huge.xml:1:1: error: a "<" that begins no tag [malformed]'),
    "a tag of spaces": (b"<Lems" + b" " * 1_000_000, "huge.xml:1:1: error: this tag has no end [malformed]"),
    "attributes without a value": (
        b"<Lems " + b"a " * 500_000 + b">",
        "huge.xml:1:7: error: this is not an attribute [malformed]",
    ),
    "an open quote": (b"<Lems " + b'a="' * 300_000, "huge.xml:1:1: error: this tag has no end [malformed]"),
    "a million lines": (b"\n" * 1_000_000, "huge.xml:1:1: error: the file has no element [malformed]"),
    "an encoding without end": (
        b"<?xml" + b' encoding="' * 90_000,
        "huge.xml:1:17: error: the encoding ' encoding=' is not accepted [encoding]",
    ),
}


@pytest.mark.parametrize("name", HUGE)
def test_what_exhausts_a_reader_is_refused_in_a_second(name: str) -> None:
    data, message = HUGE[name]

    def refuse() -> None:
        with pytest.raises(ModelError) as caught:
            parse_text(data, "huge.xml")
        assert str(caught.value).splitlines()[0] == message
        assert len(str(caught.value)) < 1000

    assert seconds_of(refuse) < 1


MANY = range(4_500)
FEW = range(2_000)


def _state(name: str, index: int) -> str:
    return f'<StateVariable name="{name}{index}" initial="0"/>'


def _component(name: str, content: str, number: object = "") -> str:
    return f'<ComponentType name="{name}{number}">{content}</ComponentType>'


LABORIOUS = {
    "bad names": _component("derivatives", "".join(f'<Constant name="a-{index}" value="1"/>' for index in MANY)),
    "unknown attributes": _component("derivatives", "".join(f'<Constant name{index}="a"/>' for index in MANY)),
    "unknown elements": _component("derivatives", "".join(f"<Constant{index}/>" for index in MANY)),
    "unknown variables": _component(
        "derivatives",
        "<Dynamics>"
        + "".join(_state("state", index) for index in FEW)
        + "".join(f'<TimeDerivative variable="stat{index}" value="0"/>' for index in FEW)
        + "</Dynamics>",
    ),
    "helpers": _component("derivatives", '<DerivedParameter name="rec_n" value="rec_n + rec_speed_dt"/>' * 4_500),
    "noise on everything": _component(
        "derivatives", f"<Dynamics>{''.join(_state('v', index) for index in FEW)}</Dynamics>"
    )
    + _component("noise", "") * 2_000,
    "terms and sources": _component("derivatives", f"<Dynamics>{_state('v', 0)}</Dynamics>")
    + _component(
        "coupling_",
        "".join(f'<DerivedParameter name="c{index}"/>' for index in FEW)
        + "".join(f'<Parameter name="x{index}" source="v0"/>' for index in FEW),
    ),
    "sources of one name": _component("derivatives", f"<Dynamics>{_state('v', 0)}</Dynamics>")
    + "".join(
        _component("coupling_", f'<DerivedParameter name="c{index}"/><Parameter name="x" source="v0"/>', index)
        for index in range(1_500)
    ),
    "powers": _component("derivatives", f'<Constant name="a" value="{"{x^2}" * 3_000}"/>' * 60),
    "powers of powers": _component("derivatives", f'<Constant name="a" value="{"{" * 4_000}x{"^2}" * 4_000}"/>' * 60),
    "digits": _component("derivatives", f'<Constant name="a" value="{"1" * 16_000}"/>' * 60),
    "digits of a speed": _component(
        "derivatives", f'<DerivedParameter name="rec_speed_dt" value="1/{"1" * 16_000}a/dt"/>'
    ),
    "lists": _component("derivatives", f'<Constant name="a" value="{"1," * 8_000}"/>' * 60),
    "long names": _component(
        "derivatives",
        f"<Dynamics>{''.join(_state('v' * 16_000, index) for index in range(60))}</Dynamics>",
    ),
}


@pytest.mark.parametrize("name", LABORIOUS)
def test_what_costs_a_reader_much_work_is_refused_in_a_second(name: str) -> None:
    text = f"<Lems>{LABORIOUS[name]}</Lems>"

    def refuse() -> None:
        with pytest.raises(ModelError) as caught:
            parse_text(text, "laborious.xml")
        assert len(str(caught.value)) < 30_000

    assert seconds_of(refuse) < 1


def test_beyond_some_hundred_faults_no_more_are_looked_for() -> None:
    with pytest.raises(ModelError) as caught:
        parse_text(f"<Lems>{LABORIOUS['bad names']}</Lems>", "many.xml")
    assert caught.value.diagnostics[0].code == "too-many-faults"
    assert str(caught.value).endswith("\n… and 152 more")


def test_no_suggestion_is_sought_for_a_monster() -> None:
    assert suggest("value" * 10_000, ["value"]) is None
