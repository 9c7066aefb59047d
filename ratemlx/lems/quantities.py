"""Reads parameters, constants, derived parameters and exposures."""

from __future__ import annotations

import re

from ratemlx.lems import limits
from ratemlx.lems.document import ConstantNode, DerivedParameterNode, ExposureNode, InputNode, ParameterNode
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.lems.values import expression, expressions, prose, required
from ratemlx.source import Text

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def read_parameter(element: Element, notes: Notes) -> ParameterNode:
    """A Parameter of the derivatives; RateML gives its range as `dimension`."""
    default = element.get("default")
    return ParameterNode(
        name=required(element, "name"),
        range=_range(element, notes),
        default=expression(default, notes) if default else None,
        scale=element.get("scale"),
        unit=element.get("unit"),
        description=prose(element, "description"),
        reference=prose(element, "reference"),
        span=element.span,
    )


def _range(element: Element, notes: Notes) -> tuple[Text, Text] | None:
    text = element.get("range", "dimension")
    if text is None or not text.value.strip():
        return None
    if element.get("range") is None:
        notes.legacy("legacy-range", text.span)
    values = expressions(text, notes)
    if len(values) != 2:
        notes.error(
            "range", f"a range has two numbers, this one has {len(values)}", text.span, 'write range="low, high"'
        )
        return None
    return values[0], values[1]


def read_constant(element: Element, notes: Notes) -> ConstantNode:
    """A Constant; RateML calls its value `default` too, puts vectors in brackets and adds a domain."""
    if element.get("value") is None and (default := element.get("default")):
        notes.legacy("legacy-value", default.span)
    if domain := element.get("domain", "dimension"):
        notes.legacy("legacy-domain", domain.span)
    return ConstantNode(
        name=required(element, "name"),
        values=_vector(required(element, "value", "default"), notes),
        unit=element.get("unit"),
        description=prose(element, "description"),
        reference=prose(element, "reference"),
        span=element.span,
    )


def _vector(text: Text, notes: Notes) -> tuple[Text, ...]:
    stripped = text.stripped()
    if stripped.value.startswith("[") and stripped.value.endswith("]"):
        notes.legacy("legacy-vector", text.span)
        stripped = stripped.part(1, len(stripped.value) - 1)
    values = expressions(stripped, notes)
    if len(values) > limits.LIST_LENGTH:
        notes.error("value-too-long", f"a vector has at most {limits.LIST_LENGTH:,} values", text.span)
    return values


def read_derived_parameter(element: Element, notes: Notes) -> DerivedParameterNode:
    """A DerivedParameter of the derivatives."""
    if element.get("value") is None and (old := element.get("expression")):
        notes.legacy("legacy-expression", old.span)
    return DerivedParameterNode(
        name=required(element, "name"),
        value=expression(required(element, "value", "expression"), notes),
        unit=element.get("unit"),
        description=prose(element, "description"),
        span=element.span,
    )


def read_input(element: Element) -> InputNode:
    """An Input: what a stimulus may drive."""
    return InputNode(
        name=required(element, "name"),
        unit=element.get("unit"),
        description=prose(element, "description"),
        span=element.span,
    )


def read_exposure(element: Element, notes: Notes) -> ExposureNode:
    """An Exposure; in RateML its `name` is the expression, from which a name is made here."""
    name = required(element, "name")
    value = element.get("value")
    if value is None:
        if element.get("dimension") is not None or not _IDENTIFIER.fullmatch(name.value.strip()):
            notes.legacy("legacy-exposure", element.span)
        value = name
        name = Text(_name_of(name.value), name.span)
    return ExposureNode(
        name=name,
        value=expression(value, notes),
        unit=element.get("unit"),
        description=prose(element, "description"),
        span=element.span,
    )


def _name_of(expression: str) -> str:
    """A name for an observed expression: `V * 2` becomes `V_2`; what is a name, or none at all, stays."""
    stripped = expression.strip()
    if not stripped.isascii() or _IDENTIFIER.fullmatch(stripped):
        return stripped
    words = re.findall(r"[A-Za-z0-9]+", stripped)
    name = "_".join(words)
    return name if _IDENTIFIER.fullmatch(name) else f"value_{name}" if name else stripped
