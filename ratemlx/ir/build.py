"""From the document to the checked model: names resolved, units checked, expressions as SymPy objects.

All faults of a file are reported together. Knows the document and transfer functions, and nothing of XML or kernels.
"""

from __future__ import annotations

from pathlib import Path

from ratemlx.errors import ModelError
from ratemlx.ir.assemble_model import assemble_model
from ratemlx.ir.check_units import check_units
from ratemlx.ir.check_use import check_use
from ratemlx.ir.context import Context
from ratemlx.ir.coupling_functions import build_coupling_uses, declare_places, own_names
from ratemlx.ir.definitions import add_definitions
from ratemlx.ir.draft import Draft
from ratemlx.ir.dynamics import Named, build_coupling, build_named, build_noise, build_time_derivatives, build_variable
from ratemlx.ir.model import Constant, Input, Model
from ratemlx.ir.order import in_order
from ratemlx.ir.quantities import build_constants, build_parameter, build_state_variable, declare_constant
from ratemlx.ir.scope import DERIVED_PARAMETER, EXPOSURE, PRE
from ratemlx.ir.transfers import UseDraft, build_use, find_function
from ratemlx.lems.document import Document, TransferFunctionNode
from ratemlx.lems.texts import all_constants, all_transfer_functions
from ratemlx.transfer.base import TransferFunction
from ratemlx.transfer.registry import TransferRegistry


def build_model(document: Document, registry: TransferRegistry) -> Model:
    """The checked model of a document; raises ModelError with all diagnostics of the file."""
    context = Context()
    functions = _functions(context, document, registry)
    _declare(context, document, functions)
    draft = _draft(context, document, functions)
    if not context.failed:
        check_units(context, draft)
    if not context.failed:
        check_use(context, document)
        model = assemble_model(context, document, draft)
    found = sorted(context.diagnostics, key=lambda item: item.span.start if item.span else -1)
    if context.failed:
        raise ModelError(item for item in found if item.severity == "error")
    return model


Functions = dict[TransferFunctionNode, TransferFunction]


def _functions(context: Context, document: Document, registry: TransferRegistry) -> Functions:
    """The transfer function of each use, those that the file defines included."""
    registry = add_definitions(context, document.transfer_definitions, registry)
    own = {node.name.value for node in document.transfer_definitions}
    found = {}
    for node in all_transfer_functions(document):
        # A definition that has faults is missing in the registry, and has been reported.
        if node.plugin.value in registry.names() or node.plugin.value not in own:
            found[node] = find_function(context, node, registry)
    return {node: function for node, function in found.items() if function is not None}


def _declare(context: Context, document: Document, functions: Functions) -> None:
    """All names of the model, before any expression is read."""
    for parameter in document.parameters:
        context.declare(parameter.name, "parameter")
    for constant in document.constants:
        declare_constant(context, constant)
    for derived_parameter in document.derived_parameters:
        context.declare(derived_parameter.name, "derived parameter")
    for item in document.inputs:
        context.declare(item.name, "input")
    for use in document.transfer_functions:
        context.declare(use.name, "transfer function", function=functions.get(use))
    for state in document.state_variables:
        context.declare(state.name, "state variable")
    for variable in document.derived_variables:
        context.declare(variable.name, "derived variable")
    for coupling in document.couplings:
        context.declare(coupling.name, "coupling")
        context.elsewhere |= {source.name.value: PRE.place for source in coupling.sources}
        for constant in coupling.constants:
            declare_constant(context, constant)
    declare_places(context, document)


def _draft(context: Context, document: Document, functions: Functions) -> Draft:
    """Every part of the model; what is faulty is left out."""
    parameters = tuple(build_parameter(context, node) for node in document.parameters)
    constants: list[Constant] = []
    for node in all_constants(document):
        constants += build_constants(context, node)
    states = tuple(build_state_variable(context, node) for node in document.state_variables)
    fixed = [build_named(context, node, DERIVED_PARAMETER) for node in document.derived_parameters]
    couplings = [build_coupling(context, node, own_names(node, functions)) for node in document.couplings]
    noises = [build_noise(context, node) for node in document.noises]
    exposures = [build_named(context, node, EXPOSURE) for node in document.exposures]
    return Draft(
        parameters=parameters,
        constants=tuple(constants),
        derived_parameters=_ordered_parameters(context, [item for item in fixed if item]),
        state_variables=states,
        derived=_ordered_variables(context, _derived(context, document, functions)),
        time_derivatives=build_time_derivatives(context, document.time_derivatives),
        couplings=tuple(item for item in couplings if item),
        coupling_uses=build_coupling_uses(context, document, functions),
        noises=tuple(item for item in noises if item),
        exposures=tuple(item for item in exposures if item),
        inputs=tuple(
            Input(item.name.value, context.unit(item.unit), item.description, item.span) for item in document.inputs
        ),
    )


def _derived(context: Context, document: Document, functions: Functions) -> dict[str, Named | UseDraft]:
    """Derived variables and uses of transfer functions, by name."""
    folder = Path(document.source.name).parent
    found: dict[str, Named | UseDraft | None] = {}
    for variable in document.derived_variables:
        found[variable.name.value] = build_variable(context, variable)
    for node in document.transfer_functions:
        if node in functions:
            found[node.name.value] = build_use(context, node, functions[node], folder)
    return {name: item for name, item in found.items() if item is not None}


def _ordered_parameters(context: Context, items: list[Named]) -> tuple[Named, ...]:
    by_name = {item.name: item for item in items}
    names, cycle = in_order({item.name: item.formula.uses for item in items})
    if cycle:
        span = by_name[cycle[0]].formula.text.span
        context.error("cycle", f"these derived parameters need each other: {' -> '.join(cycle)}", span)
    return tuple(by_name[name] for name in names)


def _ordered_variables(context: Context, items: dict[str, Named | UseDraft]) -> tuple[Named | UseDraft, ...]:
    uses = {name: item.uses if isinstance(item, UseDraft) else item.formula.uses for name, item in items.items()}
    names, cycle = in_order(uses)
    if cycle:
        first = items[cycle[0]]
        span = first.node.span if isinstance(first, UseDraft) else first.formula.text.span
        context.error("cycle", f"these quantities of one step need each other: {' -> '.join(cycle)}", span)
    return tuple(items[name] for name in names)
