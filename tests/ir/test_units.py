"""Units: what is read, what is equal, how they are written and refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ratemlx.ir.units import ONE, UnitError, parse_unit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kHz", "1/ms"),
        ("kHz^2", "1/ms^2"),
        ("nS * mV", "pA"),
        ("nS mV", "pA"),
        ("pF/nS", "ms"),
        ("pA/mV", "nS"),
        ("mm/ms", "m/s"),
        ("rad/ms", "1/ms"),
        ("1/ms^0.5", "ms^-0.5"),
        ("1/ms^(1/2)", "kHz**0.5"),
        ("µm", "um"),
        ("MΩ", "Mohm"),
        ("mV/(ms*nS)", "mV/ms/nS"),
        ("V*A", "W"),
        ("mol/L", "M"),
        ("1", "rad"),
    ],
)
def test_equal(one: str, other: str) -> None:
    assert parse_unit(one) == parse_unit(other)


@pytest.mark.parametrize(("one", "other"), [("mV", "V"), ("ms", "mS"), ("kHz", "Hz"), ("1", "%"), ("pA", "pA/ms")])
def test_different(one: str, other: str) -> None:
    assert parse_unit(one) != parse_unit(other)


@pytest.mark.parametrize(
    "written", ["nS", "1", "1/ms", "kHz^2", "mm/ms", "rad/ms", "1/ms^0.5", "mV*nS", "pA/(mV*ms)", "µm"]
)
def test_printed_as_written(written: str) -> None:
    assert str(parse_unit(written)) == written


def test_arithmetic_keeps_what_was_written() -> None:
    current, time = parse_unit("pA"), parse_unit("ms")
    assert str(current / time) == "pA/ms"
    assert str(current / time * time) == "pA"
    assert str(time ** Fraction(-1, 2)) == "1/ms^0.5"
    assert current / current == ONE
    assert (current / current).dimensionless


def test_ratio_is_a_power_of_ten() -> None:
    assert parse_unit("V").ratio(parse_unit("mV")) == 3
    assert parse_unit("Hz^0.5").ratio(parse_unit("1/ms^0.5")) == Fraction(-3, 2)
    assert parse_unit("V").ratio(parse_unit("A")) is None


@pytest.mark.parametrize(
    ("written", "message", "place", "hint"),
    [
        ("foo", "unknown unit 'foo'", (0, 3), "units are written as mV, pA/ms or 1/s; 1 is a pure number"),
        ("mss", "unknown unit 'mss'", (0, 3), "did you mean 'ms'?"),
        ("mv", "unknown unit 'mv'", (0, 2), "did you mean 'mV'?"),
        ("KHz", "unknown unit 'KHz'", (0, 3), "did you mean 'kHz'?"),
        ("1/min", "unknown unit 'min'", (2, 5), "in SI units, 60 s"),
        ("", "the unit is empty", (0, 1), "write 1 for a pure number"),
        ("mV/", "a unit such as mV should stand here", (2, 3), None),
        ("2*mV", "a unit such as mV should stand here", (0, 1), None),
        ("mV+V", "'+' cannot stand here in a unit", (2, 3), None),
        ("(mV", "'(' is never closed", (0, 1), None),
        ("mV^x", "'^' cannot stand here in a unit", (2, 3), None),
        ("mV^(1/0)", "'^' cannot stand here in a unit", (2, 3), None),
        ("((((((mV))))))", "a unit such as mV should stand here", (4, 5), None),
        ("m" * 101, "a unit has at most 100 characters", (0, 1), None),
    ],
)
def test_refused(written: str, message: str, place: tuple[int, int], hint: str | None) -> None:
    with pytest.raises(UnitError) as caught:
        parse_unit(written)
    assert (str(caught.value), (caught.value.start, caught.value.end), caught.value.hint) == (message, place, hint)
