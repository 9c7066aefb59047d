"""Reads transfer functions: where the model uses one, and where the file defines one."""

from __future__ import annotations

from typing import Literal

from ratemlx.lems.document import BindingNode, TransferDefinitionNode, TransferFunctionNode
from ratemlx.lems.dynamics import read_derived_variable
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.lems.quantities import read_constant
from ratemlx.lems.values import expression, prose, required

PREFIX = "transfer_"
_KINDS: dict[str, Literal["argument", "coefficient"]] = {"Argument": "argument", "Coefficient": "coefficient"}


def read_transfer_function(element: Element, notes: Notes) -> TransferFunctionNode:
    """The use of a transfer function, with what is bound to its arguments and coefficients."""
    return TransferFunctionNode(
        name=required(element, "name"),
        plugin=required(element, "plugin").stripped(),
        coefficients_file=element.get("coefficients"),
        bindings=tuple(_binding(child, notes) for child in element.all(*_KINDS)),
        description=prose(element, "description"),
        span=element.span,
    )


def _binding(element: Element, notes: Notes) -> BindingNode:
    value = expression(required(element, "value"), notes)
    return BindingNode(_KINDS[element.tag.value], required(element, "name"), value, element.span)


def read_transfer_definition(component: Element, notes: Notes) -> TransferDefinitionNode:
    """A ComponentType named `transfer_NAME`: the transfer function NAME, given by statements."""
    name = required(component, "name")
    statements = (child for dynamics in component.all("Dynamics") for child in dynamics.all("DerivedVariable"))
    return TransferDefinitionNode(
        name=name.part(len(PREFIX), len(name.value)),
        arguments=tuple((required(child, "name"), child.get("unit")) for child in component.all("Argument")),
        coefficients=tuple(read_constant(child, notes) for child in component.all("Constant")),
        statements=tuple(read_derived_variable(child, notes) for child in statements),
        outputs=tuple(required(child, "name") for child in component.all("Exposure")),
        description=prose(component, "description"),
        reference=prose(component, "reference"),
        span=component.span,
    )
