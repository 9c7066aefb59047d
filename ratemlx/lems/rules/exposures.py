"""A model exposes something, or a run would have no result."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document

CODES = ("no-exposure",)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look whether there is an exposure, in a file that has state variables."""
    if document.state_variables and not document.exposures:
        name = document.state_variables[0].name
        hint = f'add <Exposure name="{name}" value="{name}"/> to the derivatives'
        yield Diagnostic("no-exposure", "the model exposes nothing", None, hint)
