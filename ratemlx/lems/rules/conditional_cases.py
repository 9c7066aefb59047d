"""A conditional value has cases, of which the last, and only the last, has no condition."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import ConditionalDerivedVariableNode, Document
from ratemlx.lems.quoting import quote

CODES = ("no-case", "no-else", "else-not-last")


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every conditional value."""
    for node in document.derived_variables:
        if isinstance(node, ConditionalDerivedVariableNode):
            yield from _check(node)


def _check(node: ConditionalDerivedVariableNode) -> Iterator[Diagnostic]:
    if not node.cases:
        message = f"the conditional value {quote(node.name.value)} has no case"
        yield Diagnostic("no-case", message, node.span, 'add <Case condition="…" value="…"/> and <Case value="…"/>')
        return
    for case in node.cases[:-1]:
        if case.condition is None:
            message = "cases after the one without a condition are never reached"
            yield Diagnostic("else-not-last", message, case.span, "put it last")
    if node.cases[-1].condition is not None:
        message = f"{quote(node.name.value)} has no value where no condition holds"
        yield Diagnostic("no-else", message, node.cases[-1].span, 'add a last <Case value="…"/> without a condition')
