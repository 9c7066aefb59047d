"""Which names there are in a model, and where each kind of them may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ratemlx.ir.nodes import Node
from ratemlx.source import Span, Text
from ratemlx.transfer.base import TransferFunction

Kind = Literal[
    "parameter",
    "constant",
    "vector constant",
    "derived parameter",
    "state variable",
    "derived variable",
    "coupling",
    "input",
    "transfer function",
    "source",
    "argument",
    "coefficient",
    "vector coefficient",
    "statement",
    "built-in",
]

VECTORS: tuple[Kind, ...] = ("vector constant", "vector coefficient")


@dataclass(frozen=True)
class Declared:
    """A name, what it stands for, and where it is declared; `size` is the length of a vector."""

    name: str
    kind: Kind
    span: Span | None = None
    size: int = 0
    function: TransferFunction | None = None


@dataclass(frozen=True)
class Scope:
    """A place for expressions: the kinds of quantities that may be used there, and names that exist only there."""

    place: str
    kinds: frozenset[Kind]
    allowed: str
    local: Mapping[str, Declared] = field(default_factory=dict)

    def with_local(self, *names: Declared) -> Scope:
        """The same place with names of its own."""
        return Scope(self.place, self.kinds, self.allowed, {**self.local, **{item.name: item for item in names}})


@dataclass(frozen=True)
class Formula:
    """An expression whose names have been resolved: its tree, its text, and the names of the model that it uses."""

    text: Text
    tree: Node
    uses: frozenset[str]


_FIXED: frozenset[Kind] = frozenset({"parameter", "constant", "vector constant", "derived parameter", "built-in"})
_FIXED_WORDS = "parameters, constants and derived parameters"
_STEP: frozenset[Kind] = _FIXED | {"state variable", "derived variable", "coupling", "input", "transfer function"}
_NOW: frozenset[Kind] = _FIXED | {"state variable"}

DERIVED_PARAMETER = Scope("a derived parameter", _FIXED, _FIXED_WORDS)
COEFFICIENT = Scope("a coefficient of a transfer function", _FIXED, _FIXED_WORDS)
NOISE = Scope("noise", _FIXED, _FIXED_WORDS)
DYNAMICS = Scope("the dynamics", _STEP, "everything in the model")
EXPOSURE = Scope("an exposure", _NOW, f"state variables (after the step), {_FIXED_WORDS}")
_PRE_WORDS = f"the coupling's own sources and transfer functions, state variables of the target, {_FIXED_WORDS}"
PRE = Scope("'pre'", _NOW, _PRE_WORDS)
PRE_ARGUMENT = Scope("an argument within a coupling", _NOW, _PRE_WORDS)
POST = Scope("'post'", _NOW, f"'total' (the weighted sum), state variables of the target, {_FIXED_WORDS}")
FACTOR = Scope("the factor of a coupling", _NOW, f"state variables of the target, {_FIXED_WORDS}")
DEFINITION = Scope(
    "a transfer function",
    frozenset({"argument", "coefficient", "vector coefficient", "statement"}),
    "its arguments, its coefficients and its other derived variables",
)
