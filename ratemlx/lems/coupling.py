"""Reads the coupling between regions: one term for each DerivedParameter of a coupling component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ratemlx.lems.document import CouplingNode, SourceNode, StateVariableNode
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.lems.quantities import read_constant
from ratemlx.lems.quoting import quote, shorten
from ratemlx.lems.transfer import read_transfer_function
from ratemlx.lems.values import expression, is_none, prose, required
from ratemlx.source import Text

NO_EFFECT = "silent-coupling"


def read_coupling(component: Element, states: Sequence[StateVariableNode], notes: Notes) -> tuple[CouplingNode, ...]:
    """The terms of a coupling component."""
    terms = component.all("DerivedParameter")
    if not terms:
        notes.error(
            "coupling-without-term",
            "a coupling component needs a name for its result",
            component.span,
            'add <DerivedParameter name="c_pop0" value="global_coupling"/>',
        )
    pre, post = _pre_and_post(component, notes)
    if pre is None and terms:
        name = required(terms[0], "name")
        notes.warning(
            NO_EFFECT,
            f"the coupling {quote(name.value)} is always zero, as in RateML: nothing is summed over regions",
            component.span,
            'add <Dynamics> with <DerivedVariable name="pre" value="…"/>, or delete the component',
        )
    shared = CouplingNode(
        component=required(component, "name"),
        name=required(component, "name"),
        sources=tuple(_source(element, states, notes) for element in component.all("Parameter")),
        constants=tuple(read_constant(element, notes) for element in component.all("Constant")),
        transfer_functions=tuple(
            read_transfer_function(element, notes) for element in component.all("TransferFunction")
        ),
        pre=pre,
        post=post,
        factor=None,
        description=prose(component, "description"),
        span=component.span,
    )
    return tuple(_term(shared, term, notes) for term in terms)


def _term(shared: CouplingNode, term: Element, notes: Notes) -> CouplingNode:
    """One term: its own name and factor, beside what all terms of the component share."""
    if term.get("value") is None and (old := term.get("expression")):
        notes.legacy("legacy-expression", old.span)
    return replace(
        shared,
        name=required(term, "name"),
        factor=_optional(term.get("value", "expression"), notes),
        description=prose(term, "description") or shared.description,
        span=term.span,
    )


def _optional(text: Text | None, notes: Notes) -> Text | None:
    """An expression, or None where there is none; RateML says so with the word `None`."""
    if text is None:
        return None
    if is_none(text):
        notes.legacy("legacy-none", text.span)
        return None
    return expression(text, notes)


def _pre_and_post(component: Element, notes: Notes) -> tuple[Text | None, Text | None]:
    found: dict[str, Text | None] = {}
    for dynamics in component.all("Dynamics"):
        for element in dynamics.all("DerivedVariable"):
            name = required(element, "name")
            if name.value not in ("pre", "post"):
                hint = "name it pre (from the other region) or post (a factor of the sum)"
                notes.error("coupling-part", f"a coupling has no part {quote(name.value)}", name.span, hint)
            elif name.value in found:
                notes.error("coupling-part", f"{quote(name.value)} is given twice", name.span)
            else:
                found[name.value] = _optional(required(element, "value"), notes)
    return found.get("pre"), found.get("post")


def _source(element: Element, states: Sequence[StateVariableNode], notes: Notes) -> SourceNode:
    """A delayed quantity; RateML names the state variable by its position."""
    source = element.get("source")
    if source is None:
        source = _by_number(required(element, "dimension"), states, notes)
    return SourceNode(required(element, "name"), source.stripped(), element.span)


def _by_number(text: Text, states: Sequence[StateVariableNode], notes: Notes) -> Text:
    notes.legacy("legacy-source", text.span)
    number = text.value.strip()
    if not (number.isascii() and number.isdigit() and len(number) < 6 and int(number) < len(states)):
        names = ", ".join(f"{index}: {shorten(state.name.value)}" for index, state in enumerate(states[:12]))
        message = f"{quote(text.value)} is not the number of a state variable"
        notes.error("coupling-source", message, text.span, f"state variables are {names}" if names else None)
        return Text(states[0].name.value if states else "", text.span)
    return Text(states[int(number)].name.value, text.span)
