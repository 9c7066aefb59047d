"""Nothing stands between elements: what a model says is in attributes."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.element import Element

CODES = ("stray-text",)


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look for text in every element."""
    for element in root.walk():
        for text in element.texts:
            hint = 'write remarks as <!-- comments -->, or as description="…"'
            yield Diagnostic("stray-text", f"text within {element.tag} has no meaning", text.span, hint)
