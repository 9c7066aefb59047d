"""Elements to a document: hands each element to its reader, then drops what RateML needed and nothing here uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from ratemlx.lems.coupling import read_coupling
from ratemlx.lems.delays import RECIPROCAL, read_delays
from ratemlx.lems.document import (
    ConditionalDerivedVariableNode,
    ConstantNode,
    CouplingNode,
    DerivedParameterNode,
    DerivedVariableNode,
    Document,
    NoiseNode,
)
from ratemlx.lems.dynamics import read_conditional, read_derived_variable, read_state_variable, read_time_derivatives
from ratemlx.lems.element import Element
from ratemlx.lems.noise import STRENGTH, noise_everywhere, read_noise
from ratemlx.lems.notes import Notes
from ratemlx.lems.quantities import (
    read_constant,
    read_derived_parameter,
    read_exposure,
    read_input,
    read_parameter,
)
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import expressions
from ratemlx.lems.transfer import read_transfer_definition, read_transfer_function
from ratemlx.lems.values import prose
from ratemlx.lems.vocabulary import component_kind

HELPERS = ("rec_n", "local_coupling", RECIPROCAL, *STRENGTH)
"""Derived parameters that RateML's templates expect; here they matter only where an expression uses them."""
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Components:
    """The ComponentTypes of a file by what they are."""

    lems: Element

    def of(self, kind: str) -> tuple[Element, ...]:
        """ComponentTypes of a kind, in the order of the file."""
        return tuple(item for item in self.lems.all("ComponentType") if component_kind(str(item.get("name"))) == kind)

    def derivatives(self, *tags: str) -> Iterator[Element]:
        """Elements with these tags that stand in the derivatives."""
        for component in self.of("derivatives"):
            yield from component.all(*tags)

    def dynamics(self, *tags: str) -> Iterator[Element]:
        """Elements with these tags that stand in their dynamics."""
        for dynamics in self.derivatives("Dynamics"):
            yield from dynamics.all(*tags)


def model_name(lems: Element) -> str:
    """The model's name: as stated, else that of its file."""
    name = lems.get("name")
    return name.value if name else PurePath(lems.span.source.name).stem


def build_document(lems: Element, notes: Notes) -> Document:
    """The document that the elements describe; faults and remarks go to `notes`."""
    file = Components(lems)
    parameters = tuple(read_parameter(item, notes) for item in file.derivatives("Parameter"))
    constants = _distinct((read_constant(item, notes) for item in file.derivatives("Constant")), notes)
    derived = tuple(read_derived_parameter(item, notes) for item in file.derivatives("DerivedParameter"))
    states = tuple(read_state_variable(item, notes) for item in file.dynamics("StateVariable"))
    noises: list[NoiseNode] = []
    for component in file.of("noise")[:1]:
        noises += [read_noise(item, notes) for item in component.all("Noise")]
        if not component.children:
            noises += noise_everywhere(component, states, (*parameters, *constants, *derived), notes)
    couplings: list[CouplingNode] = []
    for component in file.of("coupling"):
        couplings += read_coupling(component, states, notes)
    delays = read_delays(lems, parameters, constants, derived, notes)
    document = Document(
        source=lems.span.source,
        name=model_name(lems),
        description=prose(lems, "description"),
        reference=prose(lems, "reference"),
        parameters=parameters,
        constants=constants,
        derived_parameters=derived,
        exposures=tuple(read_exposure(item, notes) for item in file.derivatives("Exposure")),
        inputs=tuple(read_input(item) for item in file.derivatives("Input")),
        state_variables=states,
        derived_variables=_derived_variables(file, notes),
        time_derivatives=read_time_derivatives(tuple(file.dynamics("TimeDerivative")), states, notes),
        transfer_functions=tuple(read_transfer_function(item, notes) for item in file.derivatives("TransferFunction")),
        transfer_definitions=tuple(read_transfer_definition(item, notes) for item in file.of("transfer")),
        couplings=tuple(couplings),
        noises=tuple(noises),
        delays=delays.present,
        fixed_speed=delays.fixed_speed,
        warnings=(),
    )
    return _without_helpers(document, notes)


def _derived_variables(
    file: Components, notes: Notes
) -> tuple[DerivedVariableNode | ConditionalDerivedVariableNode, ...]:
    return tuple(
        read_derived_variable(item, notes) if item.tag.value == "DerivedVariable" else read_conditional(item, notes)
        for item in file.dynamics("DerivedVariable", "ConditionalDerivedVariable")
    )


def _distinct(constants: Iterable[ConstantNode], notes: Notes) -> tuple[ConstantNode, ...]:
    """Constants without exact repetitions, which RateML's files have; a rule refuses those that contradict."""
    found: dict[tuple[str, tuple[str, ...]], ConstantNode] = {}
    for node in constants:
        key = (node.name.value, tuple(value.value for value in node.values))
        if key in found:
            message = f"the constant {quote(node.name.value)} is given twice, with the same value"
            notes.warning("repeated-constant", message, node.span, "delete one of the two")
        found.setdefault(key, node)
    return tuple(found.values())


def _without_helpers(document: Document, notes: Notes) -> Document:
    """The document without the helper parameters that nothing uses any more."""
    helpers = [node for node in document.derived_parameters if node.name.value in HELPERS]
    used = _used_names(document, helpers)
    dropped = [node for node in helpers if node.name.value not in used]
    for node in dropped:
        if node.name.value not in (RECIPROCAL, *STRENGTH):
            notes.legacy("legacy-helper", node.span)
    gone = set(map(id, dropped))
    return replace(
        document, derived_parameters=tuple(node for node in document.derived_parameters if id(node) not in gone)
    )


def _used_names(document: Document, helpers: list[DerivedParameterNode]) -> set[str]:
    """Names in expressions, of helpers only where these are used themselves."""
    of_helpers = {id(node.value) for node in helpers}
    used = {word for text in expressions(document) if id(text) not in of_helpers for word in _WORD.findall(text.value)}
    for _ in HELPERS:
        for node in helpers:
            if node.name.value in used:
                used.update(word for word in _WORD.findall(node.value.value) if word != node.name.value)
    return used
