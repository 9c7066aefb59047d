"""A model has state variables, and exposes something, or a run would have no result."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.element import Element
from ratemlx.lems.quoting import shorten
from ratemlx.lems.vocabulary import corrected

CODES = ("no-state-variable", "no-exposure")


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at what the derivatives hold, once misspelled elements are taken as what was meant."""
    for component in corrected(root).all("ComponentType"):
        if str(component.get("name")) != "derivatives":
            continue
        states = [state for dynamics in component.all("Dynamics") for state in dynamics.all("StateVariable")]
        if not states:
            hint = 'add <Dynamics> with <StateVariable name="…" initial="…"/>'
            yield Diagnostic("no-state-variable", "the model has no state variable", component.span, hint)
        elif not component.all("Exposure"):
            name = shorten(str(states[0].get("name") or "…"))
            hint = f'add <Exposure name="{name}" value="{name}"/>'
            yield Diagnostic(
                "no-exposure", "the model exposes nothing, so a run would have no result", component.span, hint
            )
