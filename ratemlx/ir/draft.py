"""A model whose names are resolved and whose expressions are still our own trees: what units are checked on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ratemlx.ir.dynamics import CouplingDraft, Named, NoiseDraft
from ratemlx.ir.model import Constant, Input, Parameter, StateVariable
from ratemlx.ir.scope import Formula
from ratemlx.ir.transfers import UseDraft


@dataclass(frozen=True)
class Draft:
    """All parts of a model, derived quantities and transfer functions in the order in which they are computed.

    `coupling_uses` are the transfer functions that couplings declare, `derived` has all others.
    """

    parameters: tuple[Parameter, ...]
    constants: tuple[Constant, ...]
    derived_parameters: tuple[Named, ...]
    state_variables: tuple[StateVariable, ...]
    derived: tuple[Named | UseDraft, ...]
    time_derivatives: Mapping[str, Formula]
    couplings: tuple[CouplingDraft, ...]
    coupling_uses: tuple[UseDraft, ...]
    noises: tuple[NoiseDraft, ...]
    exposures: tuple[Named, ...]
    inputs: tuple[Input, ...]

    @property
    def derived_variables(self) -> tuple[Named, ...]:
        """Derived variables alone."""
        return tuple(item for item in self.derived if isinstance(item, Named))

    @property
    def transfer_uses(self) -> tuple[UseDraft, ...]:
        """Uses of transfer functions, those of couplings last."""
        return (*(item for item in self.derived if isinstance(item, UseDraft)), *self.coupling_uses)

    def uses_of(self, coupling: CouplingDraft) -> tuple[UseDraft, ...]:
        """The transfer functions that a coupling declares, in order."""
        return tuple(item for item in self.coupling_uses if item.node in coupling.node.transfer_functions)
