"""Every element is one that the language has, where the language has it."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.element import Element
from ratemlx.lems.quoting import did_you_mean, quote
from ratemlx.lems.vocabulary import walk

CODES = ("unknown-element", "inclusion")


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at every element whose parent is known."""
    if root.tag.value != "Lems":
        message = f"the root element is {quote(root.tag.value)}, not 'Lems'"
        yield Diagnostic("unknown-element", message, root.tag.span, 'a model file begins with <Lems name="…">')
        return
    for element, kind, parent in walk(root):
        tag = element.tag.value
        if kind is not None or parent is None or tag == "ComponentType":
            continue
        if tag.rpartition(":")[2].lower() == "include":
            message = "a model file cannot include other files"
            yield Diagnostic("inclusion", message, element.tag.span, "put what it holds into this file")
        else:
            tags = [name for name, _ in parent.children]
            message = f"no element {quote(tag)} may stand here"
            yield Diagnostic("unknown-element", message, element.tag.span, did_you_mean(tag, tags))
