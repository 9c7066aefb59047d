"""Units through every kind of expression, and the message wherever they do not fit."""

from __future__ import annotations

import pytest

from ratemlx.ir.infer_units import Inference
from ratemlx.ir.units import ONE, Unit, parse_unit
from ratemlx.source import Span
from tests.ir.texts import parse

UNITS: dict[str, Unit | None] = {
    name: parse_unit(unit)
    for name, unit in {
        "v": "mV",
        "w": "V",
        "i": "pA",
        "g": "nS",
        "t": "ms",
        "n": "1",
        "r": "kHz",
        "P[0]": "mV",
        "F": "kHz",
        "F.out": "mV",
    }.items()
} | {"inf": None, "pi": ONE}
ARGUMENTS = {"F": {"a": parse_unit("pA"), "b": parse_unit("mV")}}


def infer(written: str) -> tuple[str | None, list[tuple[str, str | None, str | None]]]:
    found: list[tuple[str, str | None, str | None]] = []

    def report(message: str, span: Span | None, hint: str | None) -> None:
        found.append((message, span.text if span else None, hint))

    unit = Inference(UNITS, ARGUMENTS, report).infer(parse(written))
    return (str(unit) if unit else None), found


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("v + 2 * v - P[0]", "mV"),
        ("v + 0", "mV"),
        ("0", None),
        ("0 * v", None),
        ("3.5", "1"),
        ("pi * n", "1"),
        ("i / g", "pA/nS"),
        ("v^2", "mV^2"),
        ("v^-1", "1/mV"),
        ("v^0.5", "mV^0.5"),
        ("n^n", "1"),
        ("exp(v / P[0])", "1"),
        ("sqrt(v^2)", "mV"),
        ("sqrt(2)", "1"),
        ("sqrt(t)", "ms^0.5"),
        ("max(v, 0, P[0])", "mV"),
        ("min(v, inf)", "mV"),
        ("abs(-v)", "mV"),
        ("where(v > 0, i, 0)", "pA"),
        ("where(v > P[0] and n, i, 2 * i)", "pA"),
        ("heaviside(v)", "1"),
        ("(v > 0) * i", "pA"),
        ("F", "kHz"),
        ("F.out", "mV"),
        ("diff(F, a)", "kHz/pA"),
        ("diff(F, a, b) * i * v", "kHz"),
        ("r * t", "kHz*ms"),
    ],
)
def test_inferred(written: str, unit: str | None) -> None:
    assert infer(written) == (unit, [])


@pytest.mark.parametrize(
    ("written", "message", "marked", "hint"),
    [
        ("v + i", "this adds pA to mV", "i", None),
        ("v + w", "this adds V to mV", "w", "multiply V by 1e3 to get mV"),
        ("v - 1", "this adds a pure number to mV", "1", None),
        ("v > 1", "this compares a pure number to mV", "1", None),
        ("max(v, i)", "this combines pA with mV", "i", None),
        ("where(n, v, i)", "this combines pA with mV", "i", None),
        ("exp(v)", "the argument of exp should be a pure number, but this is in mV", "v", None),
        (
            "log(v / w)",
            "the argument of log should be a pure number, but this is in mV/V",
            "v / w",
            "multiply mV/V by 1e-3 to get a pure number",
        ),
        ("n^v", "an exponent should be a pure number, but this is in mV", "v", None),
        ("v^n", "this raises mV to a power that is not a number", "n", None),
        ("n * (v + t)", "this adds ms to mV", "t", None),
    ],
)
def test_reported(written: str, message: str, marked: str, hint: str | None) -> None:
    assert infer(written)[1] == [(message, marked, hint)]


def test_a_fault_is_reported_once() -> None:
    assert [message for message, _, _ in infer("(v + i) * 2 + v * exp(i)")[1]] == [
        "this adds pA to mV",
        "the argument of exp should be a pure number, but this is in pA",
    ]
