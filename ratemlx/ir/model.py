"""The checked model: names resolved, expressions as SymPy objects, quantities with units.

Every expression is in the model's own names (SymPy symbols, real). A transfer function's results appear as
the symbols that `ratemlx.transfer.base` names; the pass `differentiate` turns them into statements.
Nothing here knows XML, C or a device. Data are frozen; a pass builds a new model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sympy as sp

from ratemlx.errors import Diagnostic
from ratemlx.ir.units import Unit
from ratemlx.source import Span
from ratemlx.transfer.base import Result, TransferFunction

if TYPE_CHECKING:
    from ratemlx.ir.bound import BoundTransferFunction

Scale = Literal["linear", "log"]
NoiseKind = Literal["additive", "ornstein_uhlenbeck"]

TIME_STEP = "dt"
TOTAL = "total"
CONDUCTION_SPEED = ("conduction_speed", "global_speed")


@dataclass(frozen=True)
class Parameter:
    """A quantity that a sweep may vary: one value per instance."""

    name: str
    default: float
    range: tuple[float, float] | None
    scale: Scale
    unit: Unit | None
    description: str
    reference: str
    span: Span | None

    @property
    def is_conduction_speed(self) -> bool:
        """Whether this parameter sets delays (mm/ms) rather than entering an expression."""
        return self.name in CONDUCTION_SPEED


@dataclass(frozen=True)
class Constant:
    """A fixed scalar. A vector `P` in the file becomes constants `P[0]`, `P[1]`, ..."""

    name: str
    value: float
    unit: Unit | None
    description: str
    reference: str
    span: Span | None


@dataclass(frozen=True)
class StateVariable:
    """A state variable: its start (a value, or a range to draw each region's from) and its bounds."""

    name: str
    initial: tuple[float, float]
    bounds: tuple[float | None, float | None]
    unit: Unit | None
    description: str
    span: Span | None


@dataclass(frozen=True)
class Statement:
    """A named intermediate value; `origin` says where it came from, for readers of generated code."""

    name: str
    expression: sp.Expr
    unit: Unit | None = None
    origin: str = ""
    span: Span | None = None


@dataclass(frozen=True)
class Coupling:
    """One coupling term named `name`: factor * post * sum over edges j of weight_ij * pre.

    `sources` pairs the name used in `pre` with the state variable that is read, delayed, at region j. If `post`
    contains the symbol `total` it is the term's value (times `factor`), else it is a factor. `transfer_functions` names
    the model's transfer uses whose arguments may use the sources and whose results only `pre` may use.
    """

    name: str
    sources: tuple[tuple[str, str], ...]
    pre: sp.Expr
    post: sp.Expr
    factor: sp.Expr
    span: Span | None
    transfer_functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Noise:
    """Noise on a state variable; sigma in the variable's unit per sqrt(ms), tau in ms, mu in its unit."""

    variable: str
    kind: NoiseKind
    sigma: sp.Expr
    tau: sp.Expr | None
    mu: sp.Expr | None
    span: Span | None


@dataclass(frozen=True)
class Exposure:
    """An observable over the states after a step."""

    name: str
    expression: sp.Expr
    unit: Unit | None
    description: str
    span: Span | None


@dataclass(frozen=True)
class Input:
    """A quantity that a stimulus may drive: a time course and a pattern over regions. Zero without one."""

    name: str
    unit: Unit | None
    description: str
    span: Span | None


@dataclass(frozen=True)
class TransferUse:
    """A transfer function under a name of the model's: every argument and coefficient bound to an expression.

    The elements of a vector coefficient are bound one by one, as `P[0]`, `P[1]`, ...
    """

    name: str
    function: TransferFunction
    arguments: tuple[tuple[str, sp.Expr], ...]
    coefficients: tuple[tuple[str, sp.Expr], ...]
    span: Span | None

    @property
    def results(self) -> frozenset[str]:
        """Names of all symbols by which the model's expressions can ask for it: value, outputs, derivatives."""
        arguments = [item.name for item in self.function.arguments]
        wanted = [Result(self.name, ""), *(Result(self.name, output) for output, _ in self.function.outputs)]
        wanted += [Result(self.name, "", (one,)) for one in arguments]
        wanted += [Result(self.name, "", (one, other)) for one in arguments for other in arguments]
        return frozenset(map(str, wanted))


@dataclass(frozen=True)
class Model:
    """A whole model, checked.

    Derived parameters and variables are in the order in which they are computed. Time derivatives are in the order of
    the state variables, without those that are Ornstein-Uhlenbeck processes.
    """

    name: str
    description: str
    reference: str
    parameters: tuple[Parameter, ...]
    constants: tuple[Constant, ...]
    derived_parameters: tuple[Statement, ...]
    state_variables: tuple[StateVariable, ...]
    derived_variables: tuple[Statement, ...]
    transfer_uses: tuple[TransferUse, ...]
    time_derivatives: tuple[tuple[str, sp.Expr], ...]
    couplings: tuple[Coupling, ...]
    noises: tuple[Noise, ...]
    exposures: tuple[Exposure, ...]
    inputs: tuple[Input, ...]
    delays: bool
    fixed_speed: float | None
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def transfer_functions(self) -> dict[str, BoundTransferFunction]:
        """The transfer functions by their names in the model, with the model's coefficients, to evaluate in NumPy."""
        from ratemlx.ir.bound import bind_transfer_functions

        return bind_transfer_functions(self)

    def uses_of(self, coupling: Coupling) -> tuple[TransferUse, ...]:
        """The transfer functions that a coupling declares, in the order in which they are computed."""
        return tuple(use for use in self.transfer_uses if use.name in coupling.transfer_functions)
