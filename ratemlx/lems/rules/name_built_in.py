"""No name is a built-in of C, CUDA or Python that generated code relies on."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems import words
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import declarations

CODES = ("name-built-in",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every declared name that is not a keyword, which is worse."""
    for declaration in declarations(document):
        name = declaration.name
        languages = None if words.keyword_of(name.value) else words.built_in_of(name.value)
        if languages:
            message = f"{quote(name.value)} is built into {languages}"
            yield Diagnostic("name-built-in", message, name.span, f"choose another name, such as {name}_0")
