"""Texts as Python source: literals that no text of a model can break out of, and lines that are not too long."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from itertools import pairwise

WIDTH = 120
INDENT = 4
SUMS = (" + ", " - ")
PRODUCTS = (" * ", " / ")


def one_line(text: str) -> str:
    """Text of a model file on one line, without characters that do not show."""
    return "".join(char if char.isprintable() else " " for char in " ".join(text.split()))


def string(text: str) -> str:
    """Text of a model file as a literal."""
    return _quoted(one_line(text))


def _quoted(plain: str) -> str:
    return repr(plain) if '"' in plain and "'" not in plain else json.dumps(plain, ensure_ascii=False)


def string_argument(name: str, text: str, depth: int) -> str:
    """`name="…",` at a depth of indentation, in several pieces if it is long."""
    line = f"{name}={string(text)},"
    if depth * INDENT + len(line) <= WIDTH:
        return line
    inner = " " * (depth + 1) * INDENT
    pieces = [""]
    for word in re.findall(r"\S+\s*", one_line(text)):
        if pieces[-1] and len(inner) + len(_quoted(pieces[-1] + word)) > WIDTH:
            pieces.append("")
        pieces[-1] += word
    body = "\n".join(f"{inner}{_quoted(piece)}" for piece in pieces)
    return f"{name}=(\n{body}\n{' ' * depth * INDENT}),"


def docstring(paragraphs: Iterable[str], depth: int) -> str:
    """Paragraphs as the text between triple quotes; a line break within a paragraph stays."""
    indent = " " * depth * INDENT
    lines: list[str] = []
    for paragraph in paragraphs:
        if lines:
            lines.append("")
        for line in paragraph.split("\n"):
            hanging = " " * (len(line) - len(line.lstrip()) + (INDENT if line.startswith(" ") else 0))
            escaped = line[: len(line) - len(line.lstrip())] + _escaped(line.lstrip())
            options = {"break_long_words": False, "break_on_hyphens": False}
            lines += textwrap.wrap(escaped, WIDTH - len(indent) - 3, subsequent_indent=hanging, **options) or [""]  # type: ignore[arg-type]
    text = "\n".join(f"{indent}{line}".rstrip() for line in lines).lstrip()
    return text if len(lines) == 1 else f"{text}\n{indent}"


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def assignment(target: str, value: str, depth: int) -> str:
    """`target = value` at a depth of indentation, broken before operators if it is long."""
    value = bare(value)
    line = f"{target} = {value}"
    if depth * INDENT + len(line) <= WIDTH:
        return line
    before, inside = _last_group(value)
    outer, inner = " " * depth * INDENT, " " * (depth + 1) * INDENT
    parts = [inside] if len(inner) + len(inside) <= WIDTH else _split(inside, WIDTH - len(inner))
    body = "\n".join(f"{inner}{part}" for part in parts)
    return f"{target} = {before}(\n{body}\n{outer})"


def bare(text: str) -> str:
    """A formula without parentheses around all of it."""
    closed = next((place for place in _outer(text)), -1)
    return text[1:-1] if text.startswith("(") and closed == len(text) - 1 else text


def _last_group(text: str) -> tuple[str, str]:
    """A product whose last factor is in parentheses: what is before them and what is within; else all is within."""
    if text.endswith(")") and not _places(text, SUMS):
        opening = max((place for place in _outer(text) if text[place + 1 : place + 2] == "("), default=-1) + 1
        if text[:opening].endswith((" * ", " / ")) or opening == 0:
            return text[:opening], text[opening + 1 : -1]
    return "", text


def _split(text: str, width: int) -> list[str]:
    """A formula before its weakest operators outside of parentheses; terms that are still too long before products."""
    terms = _cut(text, _places(text, SUMS) or _places(text, PRODUCTS))
    return [part for term in terms for part in ([term] if len(term) <= width else _cut(term, _places(term, PRODUCTS)))]


def _cut(text: str, places: list[int]) -> list[str]:
    """A formula in pieces that begin with the operators at some places."""
    edges = [0, *(place + 1 for place in places), len(text)]
    return [text[start:end].strip() for start, end in pairwise(edges)]


def _places(text: str, operators: tuple[str, str]) -> list[int]:
    return [place for place in _outer(text) if text[place : place + 3] in operators]


def _outer(text: str) -> Iterable[int]:
    """Places outside of all parentheses."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0:
            yield place


def number(value: float) -> str:
    """A number as a literal, infinite or not."""
    return repr(value) if abs(value) != float("inf") else f"{'-' if value < 0 else ''}np.inf"


def tuple_of(texts: Iterable[str]) -> str:
    """Texts as a tuple of literals."""
    items = [string(text) for text in texts]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
