"""No name is a keyword of C, C++, CUDA or Python."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems import words
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import declarations

CODES = ("name-keyword",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every declared name."""
    for declaration in declarations(document):
        name = declaration.name
        if languages := words.keyword_of(name.value):
            message = f"{quote(name.value)} is a keyword of {languages}"
            yield Diagnostic("name-keyword", message, name.span, f"choose another name, such as {name}_0")
