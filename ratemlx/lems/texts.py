"""All expressions and all declared names of a document, for whatever looks at every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ratemlx.lems.document import (
    ConditionalDerivedVariableNode,
    ConstantNode,
    CouplingNode,
    Document,
    TransferFunctionNode,
)
from ratemlx.source import Text

MODEL = ""
EXPOSURES = "exposures"


@dataclass(frozen=True)
class Declaration:
    """A declared name, what it names, and the scope within which it must be the only one ("" is the model's)."""

    name: Text
    what: str
    scope: str = MODEL


def expressions(document: Document) -> Iterator[Text]:
    """Every text that is an expression, except those of transfer functions defined in the file."""
    for parameter in document.parameters:
        yield from (text for text in (*(parameter.range or ()), parameter.default) if text)
    for constant in all_constants(document):
        yield from constant.values
    yield from (node.value for node in document.derived_parameters)
    yield from (node.value for node in document.exposures)
    for state in document.state_variables:
        yield from (text for text in (*state.initial, *state.bounds) if text)
    for variable in document.derived_variables:
        if isinstance(variable, ConditionalDerivedVariableNode):
            for case in variable.cases:
                yield from (text for text in (case.condition, case.value) if text)
        else:
            yield variable.value
    yield from (node.value for node in document.time_derivatives)
    for use in all_transfer_functions(document):
        yield from (binding.value for binding in use.bindings)
    for coupling in document.couplings:
        yield from (text for text in (coupling.pre, coupling.post, coupling.factor) if text)
    for noise in document.noises:
        yield from (text for text in (noise.sigma, noise.tau, noise.mu) if text)


def declarations(document: Document) -> Iterator[Declaration]:
    """Every name that the file declares, in the order of the document's parts."""
    yield from (Declaration(node.name, "parameter") for node in document.parameters)
    yield from (Declaration(node.name, "constant") for node in document.constants)
    yield from (Declaration(node.name, "derived parameter") for node in document.derived_parameters)
    yield from (Declaration(node.name, "input") for node in document.inputs)
    yield from (Declaration(node.name, "transfer function") for node in document.transfer_functions)
    yield from (Declaration(node.name, "exposure", EXPOSURES) for node in document.exposures)
    yield from (Declaration(node.name, "state variable") for node in document.state_variables)
    yield from (Declaration(node.name, "derived variable") for node in document.derived_variables)
    yield from _coupling_declarations(document)
    yield from _transfer_declarations(document)


def _coupling_declarations(document: Document) -> Iterator[Declaration]:
    """Names of coupling terms, and what each component declares once for all its terms."""
    yield from (Declaration(node.name, "coupling") for node in document.couplings)
    for coupling in coupling_components(document):
        yield from (Declaration(node.name, "coupling source") for node in coupling.sources)
        yield from (Declaration(node.name, "constant") for node in coupling.constants)
        yield from (Declaration(node.name, "transfer function") for node in coupling.transfer_functions)


def _transfer_declarations(document: Document) -> Iterator[Declaration]:
    """Names of the transfer functions that the file defines, and within each its own."""
    for definition in document.transfer_definitions:
        scope = f"transfer function {definition.name}"
        yield Declaration(definition.name, "transfer function", "transfer functions")
        yield from (Declaration(name, "argument", scope) for name, _ in definition.arguments)
        yield from (Declaration(node.name, "coefficient", scope) for node in definition.coefficients)
        yield from (Declaration(node.name, "statement", scope) for node in definition.statements)
        yield from (Declaration(name, "output", f"outputs of {scope}") for name in definition.outputs)


def all_constants(document: Document) -> Iterator[ConstantNode]:
    """Constants of the model and of its couplings, each once."""
    yield from document.constants
    for coupling in coupling_components(document):
        yield from coupling.constants


def all_transfer_functions(document: Document) -> Iterator[TransferFunctionNode]:
    """Uses of transfer functions in the dynamics and in couplings, each once."""
    yield from document.transfer_functions
    for coupling in coupling_components(document):
        yield from coupling.transfer_functions


def coupling_components(document: Document) -> Iterator[CouplingNode]:
    """One coupling term of each component: terms of one component share all but name and factor."""
    first: dict[int, CouplingNode] = {}
    for coupling in document.couplings:
        first.setdefault(id(coupling.component), coupling)
    yield from first.values()
