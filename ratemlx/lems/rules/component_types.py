"""A file has one component "derivatives", at most one "noise", and no other than couplings and transfer functions."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.element import Element
from ratemlx.lems.quoting import quote, suggest
from ratemlx.lems.vocabulary import COMPONENT_KINDS, FIXED_COMPONENTS, component_kind

CODES = ("component-type", "repeated-component", "no-derivatives")


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at the names of the components, and at repeated ones."""
    seen: set[str] = set()
    misspelled = False
    for component in root.all("ComponentType"):
        name = component.get("name")
        if name is None:
            continue
        kind = component_kind(name.value)
        if kind is None:
            misspelled = True
            yield Diagnostic(
                "component-type", f"there is no component {quote(name.value)}", name.span, _hint(name.value)
            )
        elif kind in seen and kind in ("derivatives", "noise"):
            yield Diagnostic("repeated-component", f"a second component {quote(name.value)}", name.span)
        seen.add(kind or "")
        yield from _repeated_dynamics(component)
    if root.tag.value == "Lems" and "derivatives" not in seen and not misspelled:
        hint = 'add <ComponentType name="derivatives"> with the model\'s equations'
        yield Diagnostic("no-derivatives", "the file has no component 'derivatives'", root.span, hint)


def _hint(name: str) -> str:
    nearest = suggest(name, FIXED_COMPONENTS)
    known = f"components are {', '.join(COMPONENT_KINDS)}"
    return f"did you mean {quote(nearest)}? {known}" if nearest else known


def _repeated_dynamics(component: Element) -> Iterator[Diagnostic]:
    for dynamics in component.all("Dynamics")[1:]:
        yield Diagnostic("repeated-component", "a second Dynamics in one component", dynamics.span)
