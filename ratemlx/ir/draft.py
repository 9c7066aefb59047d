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
    """All parts of a model, derived quantities and transfer functions in the order in which they are computed."""

    parameters: tuple[Parameter, ...]
    constants: tuple[Constant, ...]
    derived_parameters: tuple[Named, ...]
    state_variables: tuple[StateVariable, ...]
    derived: tuple[Named | UseDraft, ...]
    time_derivatives: Mapping[str, Formula]
    couplings: tuple[CouplingDraft, ...]
    noises: tuple[NoiseDraft, ...]
    exposures: tuple[Named, ...]
    inputs: tuple[Input, ...]

    @property
    def derived_variables(self) -> tuple[Named, ...]:
        """Derived variables alone."""
        return tuple(item for item in self.derived if isinstance(item, Named))

    @property
    def transfer_uses(self) -> tuple[UseDraft, ...]:
        """Uses of transfer functions alone."""
        return tuple(item for item in self.derived if isinstance(item, UseDraft))
