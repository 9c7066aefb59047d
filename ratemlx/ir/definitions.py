"""Transfer functions that a model file defines itself, as the same object that a Python file would give."""

from __future__ import annotations

from ratemlx.errors import PluginError
from ratemlx.ir.context import Context
from ratemlx.ir.order import in_order
from ratemlx.ir.scope import DEFINITION, Declared, Formula
from ratemlx.ir.to_sympy import to_sympy
from ratemlx.lems.document import ConstantNode, TransferDefinitionNode
from ratemlx.source import Text
from ratemlx.transfer.base import Argument, Coefficient, TransferFunction
from ratemlx.transfer.registry import TransferRegistry


def add_definitions(
    context: Context, definitions: tuple[TransferDefinitionNode, ...], registry: TransferRegistry
) -> TransferRegistry:
    """The registry with the functions of the file; faults go to the context."""
    for node in definitions:
        function = _define(context, node)
        if function is None:
            continue
        try:
            registry = registry.with_functions([function], "this file")
        except PluginError as error:
            context.error("transfer", error.message, node.name.span, error.hint)
    return registry


def _define(context: Context, node: TransferDefinitionNode) -> TransferFunction | None:
    before = len(context.diagnostics)
    coefficients = tuple(_coefficient(context, item) for item in node.coefficients)
    scope = DEFINITION.with_local(
        *(Declared(name.value, "argument", name.span) for name, _ in node.arguments),
        *(_declared(item) for item in node.coefficients),
        *(Declared(item.name.value, "statement", item.span) for item in node.statements),
    )
    formulas: dict[str, Formula] = {}
    for item in node.statements:
        formula = context.formula(item.value, scope)
        if formula:
            formulas[item.name.value] = formula
    names, cycle = in_order({name: formula.uses for name, formula in formulas.items()})
    if cycle:
        message = f"these derived variables need each other: {' -> '.join(cycle)}"
        context.error("cycle", message, formulas[cycle[0]].text.span)
    units = {item.name.value: _unit(context, item.unit) for item in node.statements}
    arguments = tuple(Argument(name.value, _unit(context, unit)) for name, unit in node.arguments)
    outputs = tuple((output.value, units[output.value]) for output in node.outputs if output.value in units)
    if len(context.diagnostics) > before or not arguments or not outputs:
        return None
    return TransferFunction(
        name=node.name.value,
        arguments=arguments,
        coefficients=coefficients,
        statements=tuple((name, to_sympy(formulas[name].tree)) for name in names),
        outputs=outputs,
        description=node.description,
        reference=node.reference,
    )


def _unit(context: Context, text: Text | None) -> str:
    """The unit as written, once it has been read."""
    return text.value if text and context.unit(text) else ""


def _declared(node: ConstantNode) -> Declared:
    size = len(node.values)
    return Declared(node.name.value, "vector coefficient" if size > 1 else "coefficient", node.span, size)


def _coefficient(context: Context, node: ConstantNode) -> Coefficient:
    """A coefficient; without a value it must be bound where the function is used."""
    values = tuple(context.number(text) or 0.0 for text in node.values)
    size = len(values) if len(values) > 1 else None
    default = values if size else (values[0] if values else None)
    return Coefficient(node.name.value, _unit(context, node.unit), default, size, node.description)
