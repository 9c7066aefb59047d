"""The sources of a coupling are state variables."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import did_you_mean, quote
from ratemlx.lems.texts import coupling_components

CODES = ("coupling-source",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every source once; terms of one component share theirs."""
    states = {node.name.value for node in document.state_variables}
    for source in (source for coupling in coupling_components(document) for source in coupling.sources):
        name = source.source
        if name.value and name.value not in states:
            message = f"there is no state variable {quote(name.value)}"
            yield Diagnostic("coupling-source", message, name.span, did_you_mean(name.value, states))
