"""Every attribute is one that its element has."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.element import Attribute, Element
from ratemlx.lems.quoting import did_you_mean, quote
from ratemlx.lems.vocabulary import walk

CODES = ("unknown-attribute", "namespace")

_FOR_EDITORS = ("xmlns:xsi", "xsi:noNamespaceSchemaLocation")


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at the attributes of every known element; the root may name a schema for editors."""
    for element, kind, _ in walk(root):
        for attribute in element.attributes:
            name = attribute.name.value
            if kind is None or name in kind.known or (element is root and name in _FOR_EDITORS):
                continue
            yield _namespace(attribute) if name.startswith("xmlns") else _unknown(attribute, element, kind.attributes)


def _unknown(attribute: Attribute, element: Element, known: tuple[str, ...]) -> Diagnostic:
    name = attribute.name.value
    message = f"{element.tag} has no attribute {quote(name)}"
    return Diagnostic("unknown-attribute", message, attribute.name.span, did_you_mean(name, known))


def _namespace(attribute: Attribute) -> Diagnostic:
    hint = "leave it out; to name a schema for an editor, write it on Lems as xsi:noNamespaceSchemaLocation"
    return Diagnostic("namespace", "XML namespaces are not used in model files", attribute.name.span, hint)
