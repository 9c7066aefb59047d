"""Small model files for tests: one state variable, and whatever a test adds."""

from __future__ import annotations

from ratemlx.errors import ModelError
from ratemlx.lems import Document, parse_text

STATE = '<StateVariable name="x" initial="0"/>'
EQUATION = '<TimeDerivative variable="x" value="-x"/>'
EXPOSURE = '<Exposure name="x" value="x"/>'


def model(
    derivatives: str = "",
    dynamics: str = "",
    rest: str = "",
    *,
    state: str = STATE,
    equation: str = EQUATION,
    exposure: str = EXPOSURE,
    lems: str = "",
) -> str:
    """The text of a model file."""
    return (
        f'<Lems {lems}><ComponentType name="derivatives">{derivatives}{exposure}'
        f"<Dynamics>{state}{dynamics}{equation}</Dynamics></ComponentType>{rest}</Lems>"
    )


def parse(text: str | bytes) -> Document:
    """The document of a text."""
    return parse_text(text, "small.xml")


def codes(document: Document) -> list[str]:
    """Codes of the warnings, in the order of the file."""
    return [item.code for item in document.warnings]


def faults(text: str | bytes) -> list[str]:
    """Codes of the faults of a text, in the order of the file."""
    try:
        parse(text)
    except ModelError as error:
        return [item.code for item in error.diagnostics]
    return []
