"""A name is declared once."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import Declaration, coupling_components, declarations

CODES = ("name-duplicate",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Compare declarations within each scope."""
    first: dict[tuple[str, str], Declaration] = {}
    shared = _shared_sources(document)
    for declaration in sorted(declarations(document), key=_position):
        key = (declaration.scope, declaration.name.value)
        other = first.setdefault(key, declaration)
        if other is declaration or not declaration.name.value.isidentifier():
            continue
        if declaration.what == other.what == "coupling source" and declaration.name.value in shared:
            continue
        yield _twice(declaration, other)


def _position(declaration: Declaration) -> int:
    return declaration.name.span.start if declaration.name.span else -1


def _shared_sources(document: Document) -> set[str]:
    """Names of sources that mean the same state variable in every component, and occur once in each."""
    meanings: dict[str, set[str]] = {}
    repeated: set[str] = set()
    for coupling in coupling_components(document):
        seen: set[str] = set()
        for node in coupling.sources:
            meanings.setdefault(node.name.value, set()).add(node.source.value)
            repeated |= seen & {node.name.value}
            seen.add(node.name.value)
    return {name for name, found in meanings.items() if len(found) == 1} - repeated


def _twice(declaration: Declaration, other: Declaration) -> Diagnostic:
    name, place = declaration.name, other.name.span
    line = f" in line {place.line}" if place else ""
    message = f"the {declaration.what} {quote(name.value)} has the name of the {other.what}{line}"
    if declaration.what == other.what:
        message = f"the {declaration.what} {quote(name.value)} is declared already{line}"
    return Diagnostic("name-duplicate", message, name.span, "rename or delete one of the two")
