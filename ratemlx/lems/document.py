"""The model file as it stands: frozen nodes, every text with its place.

The parser builds these from XML after turning RateML's older spellings into the modern ones. Values stay
text here: expressions, numbers and units are read in `ratemlx.ir.build`. Knows nothing of SymPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ratemlx.errors import Diagnostic
from ratemlx.source import SourceText, Span, Text


@dataclass(frozen=True)
class ParameterNode:
    """A quantity that a sweep may vary."""

    name: Text
    range: tuple[Text, Text] | None
    default: Text | None
    scale: Text | None
    unit: Text | None
    description: str
    reference: str
    span: Span


@dataclass(frozen=True)
class ConstantNode:
    """A fixed quantity; more than one value makes a vector."""

    name: Text
    values: tuple[Text, ...]
    unit: Text | None
    description: str
    reference: str
    span: Span


@dataclass(frozen=True)
class DerivedParameterNode:
    """A quantity computed once from parameters and constants."""

    name: Text
    value: Text
    unit: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class ExposureNode:
    """An observable: an expression over the states after a step."""

    name: Text
    value: Text
    unit: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class InputNode:
    """A quantity that a stimulus may drive."""

    name: Text
    unit: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class StateVariableNode:
    """A state variable; one initial value, or a range from which each region's is drawn."""

    name: Text
    initial: tuple[Text, ...]
    bounds: tuple[Text | None, Text | None]
    unit: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class DerivedVariableNode:
    """An intermediate value of the step."""

    name: Text
    value: Text
    unit: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class CaseNode:
    """One case of a conditional value; `condition` is None for the last, the 'else'."""

    condition: Text | None
    value: Text
    span: Span


@dataclass(frozen=True)
class ConditionalDerivedVariableNode:
    """An intermediate value chosen among cases, the first whose condition holds."""

    name: Text
    cases: tuple[CaseNode, ...]
    unit: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class TimeDerivativeNode:
    """The derivative of a state variable with respect to time (ms)."""

    variable: Text
    value: Text
    span: Span


@dataclass(frozen=True)
class BindingNode:
    """An argument or coefficient of a transfer function, bound to an expression of the model."""

    kind: Literal["argument", "coefficient"]
    name: Text
    value: Text
    span: Span


@dataclass(frozen=True)
class TransferFunctionNode:
    """The use of a transfer function under a name of the model's own; one in a coupling is known in its `pre` only."""

    name: Text
    plugin: Text
    coefficients_file: Text | None
    bindings: tuple[BindingNode, ...]
    description: str
    span: Span


@dataclass(frozen=True)
class SourceNode:
    """A delayed quantity of the source region, named for use in `pre`: `source` is a state variable."""

    name: Text
    source: Text
    span: Span


@dataclass(frozen=True)
class CouplingNode:
    """One coupling term: factor * post * sum over edges of weight * pre.

    `post` is a factor, unless it names `total`, the weighted sum itself: then it is the term's value.
    """

    component: Text
    name: Text
    sources: tuple[SourceNode, ...]
    constants: tuple[ConstantNode, ...]
    transfer_functions: tuple[TransferFunctionNode, ...]
    pre: Text | None
    post: Text | None
    factor: Text | None
    description: str
    span: Span


@dataclass(frozen=True)
class NoiseNode:
    """Noise on one state variable: additive (sigma) or an Ornstein-Uhlenbeck process (mu, tau, sigma)."""

    variable: Text
    kind: Text
    sigma: Text
    tau: Text | None
    mu: Text | None
    span: Span


@dataclass(frozen=True)
class TransferDefinitionNode:
    """A transfer function that the model file defines itself (ComponentType name="transfer_*")."""

    name: Text
    arguments: tuple[tuple[Text, Text | None], ...]
    coefficients: tuple[ConstantNode, ...]
    statements: tuple[DerivedVariableNode, ...]
    outputs: tuple[Text, ...]
    description: str
    reference: str
    span: Span


@dataclass(frozen=True)
class Document:
    """A whole model file."""

    source: SourceText
    name: str
    description: str
    reference: str
    parameters: tuple[ParameterNode, ...]
    constants: tuple[ConstantNode, ...]
    derived_parameters: tuple[DerivedParameterNode, ...]
    exposures: tuple[ExposureNode, ...]
    inputs: tuple[InputNode, ...]
    state_variables: tuple[StateVariableNode, ...]
    derived_variables: tuple[DerivedVariableNode | ConditionalDerivedVariableNode, ...]
    time_derivatives: tuple[TimeDerivativeNode, ...]
    transfer_functions: tuple[TransferFunctionNode, ...]
    transfer_definitions: tuple[TransferDefinitionNode, ...]
    couplings: tuple[CouplingNode, ...]
    noises: tuple[NoiseNode, ...]
    delays: bool
    fixed_speed: Text | None
    warnings: tuple[Diagnostic, ...]
