"""Every element has the attributes it needs, and they are not empty."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.element import Element
from ratemlx.lems.vocabulary import Kind, corrected, walk

CODES = ("missing-attribute", "empty-attribute")


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at every known element, once misspelled attributes are taken as what was meant."""
    for element, kind, _ in walk(corrected(root)):
        if element.tag.value == "ComponentType":
            if element.get("name") is None:
                yield _missing(element, "name")
        elif kind is not None:
            yield from _check(element, kind)


def _check(element: Element, kind: Kind) -> Iterator[Diagnostic]:
    for names in kind.required:
        value = element.get(*names)
        if value is None:
            yield _missing(element, names[0])
        elif not value.value.strip():
            yield Diagnostic("empty-attribute", f"this attribute of {element.tag} is empty", value.span)


def _missing(element: Element, name: str) -> Diagnostic:
    message = f"{element.tag} needs the attribute '{name}'"
    return Diagnostic("missing-attribute", message, element.span, f'add {name}="…"')
