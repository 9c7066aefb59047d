"""Attribute values as they are meant, from how they are written: escapes resolved, places kept."""

from __future__ import annotations

import re

from ratemlx.lems import faults
from ratemlx.source import Span, Text

_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_SPECIAL = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));|\r\n|[\t\r\n]|&#?\w*;?")
_WHITE_SPACE = str.maketrans("\t\r\n", "   ")


def unescape(span: Span) -> Text:
    """The value written at `span`; refuses entities other than XML's five and illegal character numbers."""
    raw = span.text
    if "&" not in raw and "\r\n" not in raw:
        return Text(raw.translate(_WHITE_SPACE), span)
    characters: list[str] = []
    offsets: list[int] = []
    position = 0
    for match in _SPECIAL.finditer(raw):
        characters += raw[position : match.start()]
        offsets += range(position, match.start())
        characters.append(_character(match, span))
        offsets.append(match.start())
        position = match.end()
    characters += raw[position:]
    offsets += range(position, len(raw) + 1)
    return Text("".join(characters), span, tuple(offsets))


def _character(match: re.Match[str], span: Span) -> str:
    name, decimal, hexadecimal = match.groups()
    if name:
        return _NAMED[name]
    if decimal or hexadecimal:
        number = int(decimal) if decimal else int(hexadecimal, 16)
        if number in (0x9, 0xA, 0xD) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0x10FFFF:
            return chr(number)
    if match[0].startswith("&"):
        faults.reference(span.within(*match.span()))
    return " "
