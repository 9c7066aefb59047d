"""Build the transfer functions that a model uses: every argument and coefficient bound to an expression.

A coefficient takes, in this order: what the model binds it to, the coefficient file, a quantity of the model that has
the same name, the function's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ratemlx.errors import PluginError
from ratemlx.ir.context import Context
from ratemlx.ir.names import did_you_mean
from ratemlx.ir.nodes import Item, Name, Node, Number
from ratemlx.ir.scope import COEFFICIENT, DYNAMICS, VECTORS, Declared, Formula, Scope
from ratemlx.ir.units import UnitError, parse_unit
from ratemlx.lems.document import BindingNode, TransferFunctionNode
from ratemlx.lems.quoting import quote, suggest
from ratemlx.lems.rules.transfer_use import may_be_read
from ratemlx.source import Text
from ratemlx.transfer.base import Coefficient, TransferFunction
from ratemlx.transfer.check import coefficient_names
from ratemlx.transfer.files import exact, read_coefficients
from ratemlx.transfer.registry import TransferRegistry


@dataclass(frozen=True)
class UseDraft:
    """The use of a transfer function, with its expressions as trees."""

    node: TransferFunctionNode
    function: TransferFunction
    arguments: tuple[tuple[str, Formula], ...]
    coefficients: tuple[tuple[str, Node], ...]

    @property
    def uses(self) -> frozenset[str]:
        """Names of the model that the arguments use."""
        return frozenset().union(*(formula.uses for _, formula in self.arguments))


def find_function(context: Context, node: TransferFunctionNode, registry: TransferRegistry) -> TransferFunction | None:
    """The function that a use names."""
    name = node.plugin.value
    if name in registry.names():
        function = registry.get(name)
        return function if _has_readable_units(context, node, function) else None
    nearest = suggest(name, registry.names())
    hint = f"there are {', '.join(registry.names())}; --plugin FILE.py or a package adds more"
    hint = f"did you mean '{nearest}'?" if nearest else hint
    context.error("transfer", f"there is no transfer function '{name}'", node.plugin.span, hint)
    return None


def _has_readable_units(context: Context, node: TransferFunctionNode, function: TransferFunction) -> bool:
    """Whether the units that the function states are units: a plugin may hold anything."""
    stated = {item.name: item.unit for item in function.arguments}
    stated |= {item.name: item.unit for item in function.coefficients} | dict(function.outputs)
    for name, unit in stated.items():
        try:
            parse_unit(unit or "1")
        except UnitError as error:
            message = f"transfer function '{function.name}' states the unit '{unit}' of '{name}': {error}"
            context.error("transfer", message, node.plugin.span, error.hint)
            return False
    return True


def build_use(
    context: Context, node: TransferFunctionNode, function: TransferFunction, folder: Path, scope: Scope = DYNAMICS
) -> UseDraft | None:
    """Bind the arguments and coefficients of a use; `scope` is that of the arguments."""
    bound = _bindings(context, node, function)
    arguments = _arguments(context, node, function, bound, scope)
    given = _file(context, node, function, folder)
    coefficients: list[tuple[str, Node]] = []
    for coefficient in function.coefficients:
        values = _coefficient(context, node, coefficient, bound.get(("coefficient", coefficient.name)), given)
        if values is not None:
            coefficients += zip(coefficient_names(coefficient), values, strict=True)
    expected = sum(len(coefficient_names(item)) for item in function.coefficients)
    if len(arguments) < len(function.arguments) or len(coefficients) < expected:
        return None
    return UseDraft(node, function, tuple(arguments), tuple(coefficients))


def _bindings(
    context: Context, node: TransferFunctionNode, function: TransferFunction
) -> dict[tuple[str, str], BindingNode]:
    """Bindings by kind and name; refuses unknown names."""
    known = {
        "argument": [item.name for item in function.arguments],
        "coefficient": [item.name for item in function.coefficients],
    }
    found: dict[tuple[str, str], BindingNode] = {}
    for binding in node.bindings:
        name = binding.name.value
        if name not in known[binding.kind]:
            message = f"transfer function '{function.name}' has no {binding.kind} '{name}'"
            hint = did_you_mean(name, known[binding.kind]) or f"it has no {binding.kind}s"
            context.error("transfer", message, binding.name.span, hint)
        else:
            found[binding.kind, name] = binding
    return found


def _arguments(
    context: Context,
    node: TransferFunctionNode,
    function: TransferFunction,
    bound: Mapping[tuple[str, str], BindingNode],
    scope: Scope,
) -> list[tuple[str, Formula]]:
    arguments = []
    for argument in function.arguments:
        binding = bound.get(("argument", argument.name))
        if binding is None:
            message = f"the argument '{argument.name}' of transfer function '{function.name}' is not bound"
            hint = f'write <Argument name="{argument.name}" value="..."/>: {argument.description or "an expression"}'
            context.error("transfer", message, node.name.span, hint)
            continue
        formula = context.formula(binding.value, scope)
        if formula:
            arguments.append((argument.name, formula))
    return arguments


def _file(
    context: Context, node: TransferFunctionNode, function: TransferFunction, folder: Path
) -> dict[str, tuple[float, ...]]:
    """Values of the coefficient file, if the use names one."""
    if node.coefficients_file is None:
        return {}
    path = node.coefficients_file
    if not may_be_read(path.value):
        # Its place in the file has a diagnostic already if it was read by the rules of the language.
        context.error("coefficients", f"{quote(path.value)} cannot be a file of coefficients", path.span)
        return {}
    try:
        return read_coefficients(folder, path.value, function)
    except PluginError as error:
        context.error("coefficients", error.message, path.span, error.hint)
        return {}


def _coefficient(
    context: Context,
    node: TransferFunctionNode,
    coefficient: Coefficient,
    binding: BindingNode | None,
    given: Mapping[str, tuple[float, ...]],
) -> list[Node] | None:
    """The values of a coefficient, one or a vector's."""
    if binding is not None:
        return _bound(context, coefficient, binding.value)
    if coefficient.name in given:
        return [_number(value) for value in given[coefficient.name]]
    same = context.declared.get(coefficient.name)
    if same is not None and same.kind in COEFFICIENT.kinds:
        return _same_name(context, node, coefficient, same)
    if coefficient.default is None:
        message = f"the coefficient '{coefficient.name}' of transfer function '{node.plugin}' has no value"
        hint = f'write <Coefficient name="{coefficient.name}" value="..."/>, or a Constant of that name'
        context.error("transfer", message, node.name.span, hint)
        return None
    default = coefficient.default
    return [_number(value) for value in (default if isinstance(default, tuple) else (default,))]


def _bound(context: Context, coefficient: Coefficient, text: Text) -> list[Node] | None:
    """An expression for a scalar; the name of a vector constant for a vector."""
    if coefficient.size is None:
        formula = context.formula(text, COEFFICIENT)
        return [formula.tree] if formula else None
    found = context.declared.get(text.value.strip())
    if found is None or found.kind not in VECTORS or found.size != coefficient.size:
        has = f"; '{found.name}' has {max(found.size, 1)}" if found else ""
        message = f"the coefficient '{coefficient.name}' is a vector of {coefficient.size} values{has}"
        vectors = [item.name for item in context.declared.values() if item.size == coefficient.size]
        hint = did_you_mean(text.value.strip(), vectors) or "name a Constant with that many values"
        context.error("transfer", message, text.span, hint)
        return None
    context.used.add(found.name)
    return [Item(text.span, found.name, index) for index in range(found.size)]


def _same_name(
    context: Context, node: TransferFunctionNode, coefficient: Coefficient, same: Declared
) -> list[Node] | None:
    """The model's own quantity of that name."""
    size = same.size if same.kind in VECTORS else None
    if size != coefficient.size:
        wanted = "a single value" if coefficient.size is None else f"a vector of {coefficient.size} values"
        message = f"the coefficient '{coefficient.name}' is {wanted}, and the model's {same.kind} of that name is not"
        context.error("transfer", message, node.name.span, f'bind it: <Coefficient name="{coefficient.name}" .../>')
        return None
    context.used.add(same.name)
    if size is None:
        return [Name(node.span, same.name)]
    return [Item(node.span, same.name, index) for index in range(size)]


def _number(value: float) -> Number:
    return Number(None, exact(value))
