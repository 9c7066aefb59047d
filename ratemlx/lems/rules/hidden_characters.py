"""No attribute has characters that hide, or that reorder what a reader sees."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.characters import describe_character, find_hidden, reorders_text
from ratemlx.lems.element import Element

CODES = ("hidden-character",)


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at every attribute: descriptions, too, are copied into generated code."""
    for element in root.walk():
        for attribute in element.attributes:
            if found := find_hidden(attribute.value.value):
                effect = "changes the order in which text is shown" if reorders_text(found[0]) else "is invisible"
                message = f"{describe_character(found[0])} {effect}"
                yield Diagnostic("hidden-character", message, attribute.value.place(*found.span()), "delete it")
