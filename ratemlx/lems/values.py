"""The texts of attributes: lists, and RateML's ways of writing numbers, powers and nothing.

Expressions stay text here; the spelling is made modern without moving a character, so that places stay right.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ratemlx.lems import limits
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.source import Text

_FLOAT = re.compile(r"(?<![\w.])((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fF](?![\w.])")
_BRACES = re.compile(r"\{([^{}^]*)\^([^{}^]*)\}")
_ATOM = re.compile(r"\s*(?:[A-Za-z_]\w*(?:\.\w+)?|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_IN_PARENTHESES = re.compile(r"\s*\w*\(.*\)\s*", re.DOTALL)


def required(element: Element, *names: str) -> Text:
    """The value of the first of these attributes; a stand-in where it is missing, which a rule reports.

    The stand-in of a name is empty, that of anything else a number, so that no further rule complains of it.
    """
    return element.get(*names) or Text("" if names[0] in ("name", "variable") else "0", element.span)


def prose(element: Element, name: str) -> str:
    """A description or reference, on one line."""
    text = element.get(name)
    return " ".join(text.value.split()) if text else ""


def is_none(text: Text | None) -> bool:
    """Whether the text says that there is nothing: absent, empty or RateML's `None`."""
    return text is None or text.value.strip().lower() in ("", "none")


def items(text: Text) -> tuple[Text, ...]:
    """The parts of a list: what stands between commas outside parentheses; a list beyond the limit is cut once more."""
    parts: list[Text] = []
    depth = start = 0
    for index, char in enumerate(text.value):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth <= 0 and len(parts) <= limits.LIST_LENGTH:
            parts.append(text.part(start, index).stripped())
            start = index + 1
    return (*parts, text.part(start, len(text.value)).stripped())


def expression(text: Text, notes: Notes) -> Text:
    """The text with RateML's powers and C's numbers in modern spelling, each character in its old place."""
    value = text.value
    if _FLOAT.search(value):
        notes.legacy("legacy-float", text.span)
        value = _FLOAT.sub(r"\1 ", value)
    for _ in range(limits.NESTED_POWERS):
        if not _BRACES.search(value):
            break
        value = _BRACES.sub(lambda match: _power(match, text, notes), value)
    return replace(text, value=value)


def _power(match: re.Match[str], text: Text, notes: Notes) -> str:
    """A power in parentheses instead of braces."""
    notes.legacy("legacy-power", text.place(*match.span()))
    if not (_is_atom(match[1]) and _is_atom(match[2])):
        message = "RateML's CUDA and Python read this power differently"
        hint = "put the base and the exponent in parentheses, outside braces: (a + b)^2"
        notes.error("ambiguous-power", message, text.place(*match.span()), hint)
    return f"({match[1]}^{match[2]})"


def modern_spelling(value: str) -> str:
    """An expression as it would be written today: what `expression` reads, without its stand-in blanks and brackets."""
    value = _FLOAT.sub(r"\1", value)
    while _BRACES.search(value):
        value = _BRACES.sub(_modern_power, value)
    return value


def _modern_power(match: re.Match[str]) -> str:
    """A power without its braces; in parentheses where it would join with what stands beside it."""
    before, after = match.string[: match.start()].rstrip(), match.string[match.end() :].lstrip()
    joins = re.search(r"(\w|\^|\*\*)$", before) or after.startswith(("^", "**")) or match[1].lstrip()[:1] in ("+", "-")
    return f"({match[1]}^{match[2]})" if joins else f"{match[1].strip()}^{match[2].strip()}"


def expressions(text: Text, notes: Notes) -> tuple[Text, ...]:
    """The expressions of a list."""
    return tuple(expression(item, notes) for item in items(text))


def enclosed(before: str, text: Text, after: str) -> Text:
    """The text with something around it that the file does not have; places inside stay right."""
    offsets = text.offsets or tuple(range(len(text.value) + 1))
    around = (*(offsets[0],) * len(before), *offsets[:-1], *(offsets[-1],) * (len(after) + 1))
    return Text(f"{before}{text.value}{after}", text.span, around)


def _is_atom(operand: str) -> bool:
    """A name, a number or something in parentheses: what stays together whatever is put around it."""
    if _ATOM.fullmatch(operand):
        return True
    return _IN_PARENTHESES.fullmatch(operand) is not None and _closes_at_end(operand.strip())


def _closes_at_end(operand: str) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    depth = 0
    for index, char in enumerate(operand):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            return index == len(operand) - 1
    return False
