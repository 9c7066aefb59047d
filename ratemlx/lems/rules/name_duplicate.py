"""A name is declared once."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import Declaration, declarations

CODES = ("name-duplicate",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Compare declarations within each scope."""
    first: dict[tuple[str, str], Declaration] = {}
    sources = {node.name.value: node.source.value for coupling in document.couplings for node in coupling.sources}
    for declaration in sorted(declarations(document), key=_position):
        key = (declaration.scope, declaration.name.value)
        other = first.setdefault(key, declaration)
        if other is declaration or not declaration.name.value.isidentifier():
            continue
        if declaration.what == other.what == "coupling source" and _same_source(document, declaration, sources):
            continue
        yield _twice(declaration, other)


def _position(declaration: Declaration) -> int:
    return declaration.name.span.start if declaration.name.span else -1


def _same_source(document: Document, declaration: Declaration, sources: dict[str, str]) -> bool:
    """Whether all components that use this name for a source mean the same state variable, each once."""
    name = declaration.name.value
    components = {id(coupling.component): coupling for coupling in document.couplings}.values()
    return all(
        [node.source.value for node in coupling.sources if node.name.value == name] in ([], [sources[name]])
        for coupling in components
    )


def _twice(declaration: Declaration, other: Declaration) -> Diagnostic:
    name, place = declaration.name, other.name.span
    line = f" in line {place.line}" if place else ""
    message = f"the {declaration.what} {quote(name.value)} has the name of the {other.what}{line}"
    if declaration.what == other.what:
        message = f"the {declaration.what} {quote(name.value)} is declared already{line}"
    return Diagnostic("name-duplicate", message, name.span, "rename or delete one of the two")
