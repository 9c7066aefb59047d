"""Cutting an expression into tokens, with a clear message for everything that is not part of the language."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, NoReturn

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.source import Text

Kind = Literal["number", "name", "operator", "end"]

MAX_CHARACTERS = 10_000
MAX_NAME = 100

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"\*\*|<=|>=|==|!=|/(?!/)|[-+*^()\[\],.<>]")
_WORD_TAIL = re.compile(r"[A-Za-z0-9_.]*")

_FOREIGN = (
    ("&&", "'&&' is not part of the language", "write 'and'"),
    ("||", "'||' is not part of the language", "write 'or'"),
    ("//", "'//' is not part of the language", "write floor(a / b)"),
    (":=", "an expression cannot assign", "give the value a name with a DerivedVariable"),
    ("=", "'=' does not compare", "write '==' to compare"),
    ("!", "'!' is not part of the language", "write 'not'"),
    ("&", "'&' is not part of the language", "write 'and'"),
    ("|", "'|' is not part of the language", "write 'or'"),
    ("?", "'?' is not part of the language", "write where(condition, a, b)"),
    ("%", "'%' is not part of the language", "write a - b * floor(a / b)"),
    (";", "';' is not part of the language", "an attribute holds one expression"),
    ("{", "'{' is not part of the language", "group with '(' and ')'"),
    ("}", "'}' is not part of the language", "group with '(' and ')'"),
    ("'", "an expression cannot contain text in quotes", None),
    ('"', "an expression cannot contain text in quotes", None),
)


@dataclass(frozen=True)
class Token:
    """A piece of an expression and where it stands in the value."""

    kind: Kind
    text: str
    start: int
    end: int


def fail(text: Text, start: int, end: int, message: str, hint: str | None = None, code: str = "syntax") -> NoReturn:
    """Raise ModelError for the characters [start, end) of an expression."""
    raise ModelError([Diagnostic(code, message, text.place(start, end), hint)])


class Scanner:
    """Hands out the tokens of an expression one by one; `current` is the one not yet taken."""

    def __init__(self, text: Text) -> None:
        if len(text.value) > MAX_CHARACTERS:
            message = f"the expression has {len(text.value):,} characters; the limit is {MAX_CHARACTERS:,}"
            fail(text, 0, 1, message, "give parts of it names with DerivedVariables", "limit")
        self.text = text
        self.current = self._scan(0)
        self.previous_end = 0

    def advance(self) -> Token:
        """Take the current token."""
        token = self.current
        self.previous_end = token.end
        self.current = self._scan(token.end)
        return token

    def _scan(self, start: int) -> Token:
        value = self.text.value
        start = _end(_SPACE, value, start)
        if start == len(value):
            return Token("end", "", start, start)
        if end := _end(_NAME, value, start):
            if end - start > MAX_NAME:
                fail(self.text, start, end, f"a name has at most {MAX_NAME} characters", code="limit")
            return Token("name", value[start:end], start, end)
        if end := _end(_NUMBER, value, start):
            return self._number(start, end)
        if end := _end(_OPERATOR, value, start):
            return Token("operator", value[start:end], start, end)
        return self._foreign(start)

    def _number(self, start: int, end: int) -> Token:
        """A number; C's suffix `f` is let pass, letters or a second point behind it are not."""
        value = self.text.value
        tail = _end(_WORD_TAIL, value, end)
        if value[end:tail] not in ("", "f", "F"):
            shown = value[start:tail] if tail - start <= 40 else value[start : start + 37] + "..."
            hint = f"write '*' between the number and '{value[end]}'" if value[end].isalpha() else None
            fail(self.text, start, tail, f"'{shown}' is not a number", hint)
        return Token("number", value[start:end], start, tail)

    def _foreign(self, start: int) -> NoReturn:
        value = self.text.value
        for characters, message, hint in _FOREIGN:
            if value.startswith(characters, start):
                fail(self.text, start, start + len(characters), message, hint)
        char = value[start]
        name = unicodedata.name(char, "unnamed")
        shown = f"'{char}'" if char.isprintable() else "the character"
        where = f" (U+{ord(char):04X}, {name})" if not char.isascii() or not char.isprintable() else ""
        fail(self.text, start, start + 1, f"{shown}{where} is not part of the language")


def _end(pattern: re.Pattern[str], value: str, start: int) -> int:
    """Where a match that begins at `start` ends; 0 if there is none."""
    match = pattern.match(value, start)
    return match.end() if match else 0
