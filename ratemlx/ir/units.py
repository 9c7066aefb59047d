"""Physical units: exact exponents of the base units and a power of ten.

`nS`, `kHz^2`, `mm/ms`, `1/ms^0.5`, `rad/ms` and the like are read; two units are equal if they mean the same, however
they are written. Knows nothing of expressions or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction

Exponents = tuple[tuple[str, Fraction], ...]

MAX_CHARACTERS = 100
MAX_DEPTH = 4

# Exponents of the base units, and the power of ten against their coherent product (g is 1e-3 kg).
_SYMBOLS: dict[str, tuple[dict[str, int], int]] = {
    "1": ({}, 0),
    "rad": ({}, 0),
    "%": ({}, -2),
    "m": ({"m": 1}, 0),
    "g": ({"kg": 1}, -3),
    "s": ({"s": 1}, 0),
    "A": ({"A": 1}, 0),
    "K": ({"K": 1}, 0),
    "mol": ({"mol": 1}, 0),
    "cd": ({"cd": 1}, 0),
    "Hz": ({"s": -1}, 0),
    "N": ({"kg": 1, "m": 1, "s": -2}, 0),
    "Pa": ({"kg": 1, "m": -1, "s": -2}, 0),
    "J": ({"kg": 1, "m": 2, "s": -2}, 0),
    "W": ({"kg": 1, "m": 2, "s": -3}, 0),
    "C": ({"A": 1, "s": 1}, 0),
    "V": ({"kg": 1, "m": 2, "s": -3, "A": -1}, 0),
    "F": ({"kg": -1, "m": -2, "s": 4, "A": 2}, 0),
    "ohm": ({"kg": 1, "m": 2, "s": -3, "A": -2}, 0),
    "S": ({"kg": -1, "m": -2, "s": 3, "A": 2}, 0),
    "Wb": ({"kg": 1, "m": 2, "s": -2, "A": -1}, 0),
    "T": ({"kg": 1, "s": -2, "A": -1}, 0),
    "H": ({"kg": 1, "m": 2, "s": -2, "A": -2}, 0),
    "L": ({"m": 3}, -3),
    "M": ({"mol": 1, "m": -3}, 3),
}
_PREFIXES = {
    "f": -15,
    "p": -12,
    "n": -9,
    "u": -6,
    "m": -3,
    "c": -2,
    "d": -1,
    "h": 2,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
}
_SPELLINGS = {"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{OHM SIGN}": "ohm"}
_SPELLINGS["\N{GREEK CAPITAL LETTER OMEGA}"] = "ohm"
_UNSUPPORTED = {"min": "60 s", "h": "3600 s", "deg": "pi / 180 rad", "eV": "1.602e-19 J"}
_LETTERS = f"[A-Za-z%{''.join(_SPELLINGS)}]"
_SYMBOL = re.compile(rf"{_LETTERS}+|1(?![0-9.])")
_JOIN = re.compile(rf"\s*(?P<operator>[*/])|\s+(?={_LETTERS})")
_POWER = re.compile(r"\s*(?:\^|\*\*)\s*(?P<open>\()?(?P<value>-?[0-9]{1,3}(?:\.[0-9]{1,3}|/[1-9][0-9]?)?)(?(open)\))")


class UnitError(ValueError):
    """A text is no unit; `start` and `end` say which of its characters."""

    def __init__(self, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.start, self.end, self.hint = start, max(end, start + 1), hint


@dataclass(frozen=True)
class Unit:
    """A unit by what it means; `parts` keep the symbols it was made of, for printing."""

    exponents: Exponents
    scale: Fraction
    parts: Exponents = field(default=(), compare=False)

    def __mul__(self, other: Unit) -> Unit:
        return Unit(_added(self.exponents, other.exponents), self.scale + other.scale, _added(self.parts, other.parts))

    def __truediv__(self, other: Unit) -> Unit:
        return self * other**-1

    def __pow__(self, exponent: int | Fraction) -> Unit:
        power = Fraction(exponent)
        return Unit(_raised(self.exponents, power), self.scale * power, _raised(self.parts, power))

    def __str__(self) -> str:
        above = [_shown(symbol, power) for symbol, power in self.parts if power > 0]
        below = [_shown(symbol, -power) for symbol, power in self.parts if power < 0]
        bottom = f"({'*'.join(below)})" if len(below) > 1 else "".join(below)
        return ("*".join(above) or "1") + (f"/{bottom}" if below else "")

    @property
    def dimensionless(self) -> bool:
        """Whether it is a pure number, not scaled."""
        return not self.exponents and not self.scale

    def ratio(self, other: Unit) -> Fraction | None:
        """The power of ten by which values in `self` are multiplied to be in `other`; None if they do not compare."""
        return self.scale - other.scale if self.exponents == other.exponents else None


ONE = Unit((), Fraction(0))


def parse_unit(text: str) -> Unit:
    """Read a unit; raises UnitError."""
    if len(text) > MAX_CHARACTERS:
        raise UnitError(f"a unit has at most {MAX_CHARACTERS} characters", 0, 1)
    if not text.strip():
        raise UnitError("the unit is empty", 0, len(text), "write 1 for a pure number")
    unit, position = _expression(text, 0, 0)
    if position < len(text.rstrip()):
        raise UnitError(f"'{text[position]}' cannot stand here in a unit", position, position + 1)
    return unit


def _expression(text: str, position: int, depth: int) -> tuple[Unit, int]:
    """Symbols joined by `*` and `/`, from left to right; `/` divides by the next symbol only."""
    unit, position = _factor(text, position, depth)
    while match := _JOIN.match(text, position):
        factor, position = _factor(text, match.end(), depth)
        unit = unit / factor if match["operator"] == "/" else unit * factor
    return unit, position


def _factor(text: str, position: int, depth: int) -> tuple[Unit, int]:
    """A symbol or a bracket, with its exponent."""
    position += len(text[position:]) - len(text[position:].lstrip())
    if text.startswith("(", position) and depth < MAX_DEPTH:
        unit, end = _expression(text, position + 1, depth + 1)
        if not text.startswith(")", end):
            raise UnitError("'(' is never closed", position, position + 1)
        end += 1
    else:
        match = _SYMBOL.match(text, position)
        if match is None:
            start = min(position, len(text) - 1)
            raise UnitError("a unit such as mV should stand here", start, start + 1)
        unit, end = _symbol(match[0], position), match.end()
    power = _POWER.match(text, end)
    return (unit ** Fraction(power["value"]), power.end()) if power else (unit, end)


def _symbol(text: str, position: int) -> Unit:
    """A unit with or without a prefix."""
    name = "".join(_SPELLINGS.get(char, char) for char in text)
    found = _SYMBOLS.get(name)
    prefix = 0
    if found is None and name[0] in _PREFIXES and name[1:] not in ("", "1", "%", "rad"):
        found, prefix = _SYMBOLS.get(name[1:]), _PREFIXES[name[0]]
    if found is None:
        hint = f"in SI units, {_UNSUPPORTED[name]}" if name in _UNSUPPORTED else _nearest(name)
        raise UnitError(f"unknown unit '{text}'", position, position + len(text), hint)
    exponents, scale = found
    base = tuple(sorted((symbol, Fraction(power)) for symbol, power in exponents.items()))
    parts = ((text, Fraction(1)),) if name != "1" else ()
    return Unit(base, Fraction(scale + prefix), parts)


def _nearest(name: str) -> str | None:
    """The unit that differs only in capitals, else the one that is spelled most alike."""
    known = [*_SYMBOLS, *(prefix + symbol for prefix in _PREFIXES for symbol in _SYMBOLS)]
    near = [item for item in known if item.casefold() == name.casefold()]
    near = near or get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else "units are written as mV, pA/ms or 1/s; 1 is a pure number"


def _added(one: Exponents, other: Exponents) -> Exponents:
    total: dict[str, Fraction] = dict(one)
    for symbol, power in other:
        total[symbol] = total.get(symbol, Fraction(0)) + power
    return _tidy(total)


def _raised(exponents: Exponents, power: Fraction) -> Exponents:
    return _tidy({symbol: exponent * power for symbol, exponent in exponents})


def _tidy(exponents: Mapping[str, Fraction]) -> Exponents:
    items: Iterable[tuple[str, Fraction]] = ((symbol, power) for symbol, power in exponents.items() if power)
    return tuple(sorted(items))


def _shown(symbol: str, power: Fraction) -> str:
    if power == 1:
        return symbol
    return f"{symbol}^{power}" if power.denominator == 1 else f"{symbol}^{float(power):g}"
