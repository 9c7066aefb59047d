"""Transfer functions that a coupling declares, known in its `pre` and in each other's arguments alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ratemlx.ir.context import Context
from ratemlx.ir.order import in_order
from ratemlx.ir.scope import PRE, PRE_ARGUMENT, Declared
from ratemlx.ir.transfers import UseDraft, build_use
from ratemlx.lems.document import CouplingNode, Document, TransferFunctionNode
from ratemlx.lems.texts import coupling_components
from ratemlx.transfer.base import TransferFunction

Functions = Mapping[TransferFunctionNode, TransferFunction]


def declare_places(context: Context, document: Document) -> None:
    """Note where the transfer functions of couplings are known, for whoever uses them elsewhere."""
    for component in coupling_components(document):
        place = f"{PRE.place} of {component.component}"
        context.elsewhere |= {use.name.value: place for use in component.transfer_functions}


def own_names(node: CouplingNode, functions: Functions) -> tuple[Declared, ...]:
    """What only the `pre` of a coupling knows: its sources and its transfer functions."""
    return (
        *(Declared(source.name.value, "source", source.span) for source in node.sources),
        *(
            Declared(use.name.value, "transfer function", use.span, function=functions.get(use))
            for use in node.transfer_functions
        ),
    )


def build_coupling_uses(context: Context, document: Document, functions: Functions) -> tuple[UseDraft, ...]:
    """The transfer functions of all couplings, each component's in the order in which they are computed."""
    folder = Path(document.source.name).parent
    found: list[UseDraft] = []
    for component in coupling_components(document):
        scope = PRE_ARGUMENT.with_local(*own_names(component, functions))
        nodes = [node for node in component.transfer_functions if node in functions]
        uses = [build_use(context, node, functions[node], folder, scope) for node in nodes]
        found += _ordered(context, [use for use in uses if use])
    return tuple(found)


def _ordered(context: Context, uses: list[UseDraft]) -> list[UseDraft]:
    by_name = {use.node.name.value: use for use in uses}
    names, cycle = in_order({name: use.uses for name, use in by_name.items()})
    if cycle:
        message = f"these transfer functions need each other: {' -> '.join(cycle)}"
        context.error("cycle", message, by_name[cycle[0]].node.span)
    for use in uses:
        context.used |= use.uses
    return [by_name[name] for name in names]
