"""Reads state variables, derived variables and time derivatives."""

from __future__ import annotations

from collections.abc import Sequence

from ratemlx.lems.document import (
    CaseNode,
    ConditionalDerivedVariableNode,
    DerivedVariableNode,
    StateVariableNode,
    TimeDerivativeNode,
)
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.lems.values import expression, expressions, is_none, items, prose, required
from ratemlx.source import Text

_NO_BOUND = ("none", "")
_NO_LOWER_BOUND = (*_NO_BOUND, "-inf")
_NO_UPPER_BOUND = (*_NO_BOUND, "inf", "+inf")


def read_state_variable(element: Element, notes: Notes) -> StateVariableNode:
    """A StateVariable; RateML calls its start `dimension` and its bounds `exposure`."""
    return StateVariableNode(
        name=required(element, "name"),
        initial=_initial(element, notes),
        bounds=_bounds(element, notes),
        unit=element.get("unit"),
        description=prose(element, "description"),
        span=element.span,
    )


def _initial(element: Element, notes: Notes) -> tuple[Text, ...]:
    text = required(element, "initial", "dimension")
    values = expressions(text, notes)
    if len(values) > 2:
        notes.error("initial", f"a value or two were expected, not {len(values)}", text.span)
        return values[:2]
    if element.get("initial") is None and element.get("dimension") is not None:
        notes.legacy("legacy-initial", text.span)
        return _in_order(values, text, notes)
    return values


def _in_order(values: tuple[Text, ...], text: Text, notes: Notes) -> tuple[Text, ...]:
    """RateML's range of starts: one value where both ends are equal, and its ends may stand in either order."""
    try:
        numbers = [float(value.value) for value in values]
    except ValueError:
        return values
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        notes.legacy("legacy-reversed", text.span)
        return values[::-1]
    return values[:1] if numbers[0] == numbers[-1] else values


def _bounds(element: Element, notes: Notes) -> tuple[Text | None, Text | None]:
    text = element.get("bounds", "exposure")
    if text is None:
        return None, None
    if element.get("bounds") is None:
        notes.legacy("legacy-bounds", text.span)
        if is_none(text):
            return None, None
    values = items(text)
    if len(values) != 2:
        hint = 'write bounds="low, high", with inf for a side without a bound'
        notes.error("bounds", f"bounds are two numbers, here is {len(values)}", text.span, hint)
        return None, None
    return _bound(values[0], _NO_LOWER_BOUND, notes), _bound(values[1], _NO_UPPER_BOUND, notes)


def _bound(text: Text, unbounded: tuple[str, ...], notes: Notes) -> Text | None:
    """A bound's expression; None where its side has none, which an infinity of the other sign does not say."""
    return None if text.value.lower() in unbounded else expression(text, notes)


def read_derived_variable(element: Element, notes: Notes) -> DerivedVariableNode:
    """A DerivedVariable."""
    return DerivedVariableNode(
        name=required(element, "name"),
        value=expression(required(element, "value"), notes),
        unit=element.get("unit"),
        description=prose(element, "description"),
        span=element.span,
    )


def read_conditional(element: Element, notes: Notes) -> ConditionalDerivedVariableNode:
    """A ConditionalDerivedVariable with its cases."""
    return ConditionalDerivedVariableNode(
        name=required(element, "name"),
        cases=tuple(_case(case, notes) for case in element.all("Case")),
        unit=element.get("unit"),
        description=prose(element, "description"),
        span=element.span,
    )


def _case(element: Element, notes: Notes) -> CaseNode:
    condition = element.get("condition")
    if condition is not None and is_else(condition):
        notes.legacy("legacy-else", condition.span)
        condition = None
    value = expression(required(element, "value"), notes)
    return CaseNode(expression(condition, notes) if condition else None, value, element.span)


def is_else(condition: Text) -> bool:
    """Whether RateML's condition means "in all other cases"."""
    return condition.value.strip().lower() in ("", "else")


def read_time_derivatives(
    elements: Sequence[Element], states: Sequence[StateVariableNode], notes: Notes
) -> tuple[TimeDerivativeNode, ...]:
    """The TimeDerivatives; RateML writes `dV` for the derivative of `V`.

    Where a name can be read either way (`dV` beside state variables `V` and `dV`), the reading that fits all holds.
    """
    known = {state.name.value for state in states}
    names = [required(element, "variable").value for element in elements]
    all_legacy = not set(names) <= known and all(name[:1] == "d" and name[1:] in known for name in names)
    nodes = []
    for element in elements:
        variable = required(element, "variable")
        if variable.value[:1] == "d" and variable.value[1:] in known and (all_legacy or variable.value not in known):
            notes.legacy("legacy-derivative", variable.span)
            variable = variable.part(1, len(variable.value))
        value = expression(required(element, "value"), notes)
        nodes.append(TimeDerivativeNode(variable, value, element.span))
    return tuple(nodes)
