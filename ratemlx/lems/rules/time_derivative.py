"""Every state variable has exactly one equation: a TimeDerivative, or Ornstein-Uhlenbeck noise."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document, NoiseNode, TimeDerivativeNode
from ratemlx.lems.quoting import did_you_mean, quote, shorten
from ratemlx.source import Text

CODES = ("unknown-state-variable", "no-equation", "repeated-equation")

_PROCESS = "ornstein_uhlenbeck"


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Compare state variables with what drives them."""
    states = {node.name.value for node in document.state_variables}
    driven: set[str] = set()
    for variable in _equations(document):
        name = variable.value
        if not name:
            continue
        if name not in states:
            message = f"there is no state variable {quote(name)}"
            yield Diagnostic("unknown-state-variable", message, variable.span, did_you_mean(name, states))
        elif name in driven:
            message = f"a second equation for the state variable {quote(name)}"
            hint = "a state variable has one TimeDerivative, or Ornstein-Uhlenbeck noise"
            yield Diagnostic("repeated-equation", message, variable.span, hint)
        driven.add(name)
    for state in document.state_variables:
        if state.name.value and state.name.value not in driven:
            message = f"the state variable {quote(state.name.value)} has no equation"
            example = f'<TimeDerivative variable="{shorten(state.name.value)}" value="…"/>'
            hint = f'add {example}, with value="0" if it stays as it is'
            yield Diagnostic("no-equation", message, state.name.span, hint)


def _equations(document: Document) -> Iterator[Text]:
    """Names of the variables that have an equation, one for each equation, in the order of the file."""
    nodes: list[TimeDerivativeNode | NoiseNode] = [*document.time_derivatives]
    nodes += [node for node in document.noises if node.kind.value == _PROCESS]
    yield from (node.variable for node in sorted(nodes, key=lambda node: node.span.start))
