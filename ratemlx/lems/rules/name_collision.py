"""No two names become the same identifier in generated code, as `a_b` and `a__b`, or `P_0` beside a vector `P`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import MODEL, Declaration, all_constants, declarations

CODES = ("name-collision",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Compare the model's names as identifiers, elements of vectors among them."""
    elements = {
        f"{_identifier(node.name.value)}_{index}": f"element {index} of the vector {quote(node.name.value)}"
        for node in all_constants(document)
        if len(node.values) > 1
        for index in range(len(node.values))
    }
    first: dict[str, Declaration] = {}
    for declaration in declarations(document):
        if declaration.scope != MODEL:
            continue
        name = declaration.name.value
        identifier = _identifier(name)
        other = first.setdefault(identifier, declaration)
        if identifier in elements:
            yield _collision(declaration, elements[identifier])
        elif other.name.value != name:
            yield _collision(declaration, f"the {other.what} {quote(other.name.value)}")


def _identifier(name: str) -> str:
    """A name with what generated code does not keep apart taken out."""
    return re.sub(r"_+", "_", name).strip("_")


def _collision(declaration: Declaration, other: str) -> Diagnostic:
    name = declaration.name
    message = f"in generated code, the {declaration.what} {quote(name.value)} would have the same name as {other}"
    return Diagnostic("name-collision", message, name.span, "rename one of the two")
