"""A transfer function defined in a file has arguments, statements, and outputs that are statements."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document, TransferDefinitionNode
from ratemlx.lems.quoting import did_you_mean, quote

CODES = ("transfer-incomplete", "transfer-output")


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every transfer function that the file defines."""
    for definition in document.transfer_definitions:
        yield from _incomplete(definition)
        names = {statement.name.value for statement in definition.statements}
        for output in definition.outputs:
            if output.value not in names:
                message = f"the output {quote(output.value)} is no statement of this transfer function"
                yield Diagnostic("transfer-output", message, output.span, did_you_mean(output.value, names))


def _incomplete(definition: TransferDefinitionNode) -> Iterator[Diagnostic]:
    needed = (
        (definition.arguments, "argument", '<Argument name="…"/>'),
        (definition.statements, "statement", '<DerivedVariable name="…" value="…"/> in Dynamics'),
        (definition.outputs, "output", '<Exposure name="…"/> that names a statement'),
    )
    for parts, what, example in needed:
        if not parts:
            message = f"the transfer function {quote(definition.name.value)} has no {what}"
            yield Diagnostic("transfer-incomplete", message, definition.span, f"add {example}")
