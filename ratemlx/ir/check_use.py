"""Remarks on a model that is correct but perhaps not what was meant: quantities that nothing uses."""

from __future__ import annotations

from ratemlx.ir.context import Context
from ratemlx.ir.model import CONDUCTION_SPEED
from ratemlx.lems.document import Document
from ratemlx.lems.texts import coupling_components


def check_use(context: Context, document: Document) -> None:
    """Warn of every declared quantity that no expression uses; state variables always have a use."""
    defined = {node.name.value for node in document.transfer_definitions}
    for name, item in context.declared.items():
        ignored = item.kind == "state variable" or name in CONDUCTION_SPEED or name in defined
        if name not in context.used and not ignored:
            context.warning("unused", f"nothing uses the {item.kind} '{name}'", item.span)
    for coupling in coupling_components(document):
        for use in coupling.transfer_functions:
            if use.name.value not in context.used:
                context.warning("unused", f"nothing uses the transfer function '{use.name}'", use.name.span)
