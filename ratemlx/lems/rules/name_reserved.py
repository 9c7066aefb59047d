"""No name is one that the expression language gives a meaning, and none begins with two underscores."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems import words
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import declarations

CODES = ("name-reserved",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every declared name."""
    for declaration in declarations(document):
        name = declaration.name
        if reason := _reason(name.value):
            message = f"{quote(name.value)} cannot be declared: {reason}"
            yield Diagnostic("name-reserved", message, name.span, "choose another name")


def _reason(name: str) -> str | None:
    if name in words.RESERVED:
        return f"it stands for {words.RESERVED[name]}"
    if name in words.FUNCTIONS:
        return "it is a function"
    return "names that begin with two underscores belong to compilers" if name.startswith("__") else None
