"""What a transfer function is: a named, pure map given as a list of named SymPy statements.

Knows SymPy and NumPy, and nothing of models, XML or kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sympy as sp


@dataclass(frozen=True)
class Argument:
    """A variable that a transfer function depends on and may be differentiated by.

    An empty unit, here and below, leaves it open: it follows from what a model binds.
    """

    name: str
    unit: str = ""
    description: str = ""


@dataclass(frozen=True)
class Coefficient:
    """A constant of a transfer function; `size` is None for a scalar, else the length of a vector.

    A vector `P` appears in the statements as the symbols `P[0]`, `P[1]`, ...
    """

    name: str
    unit: str = ""
    default: float | tuple[float, ...] | None = None
    size: int | None = None
    description: str = ""


@dataclass(frozen=True)
class TransferFunction:
    """Arguments and coefficients in, named outputs out; the first output is the function's value.

    `statements` are in order: each expression uses arguments, coefficients and names of earlier statements only.
    `outputs` are names of statements, with their units.
    """

    ratemlx_extension: ClassVar[str] = "transfer function"
    name: str
    arguments: tuple[Argument, ...]
    coefficients: tuple[Coefficient, ...]
    statements: tuple[tuple[str, sp.Expr], ...]
    outputs: tuple[tuple[str, str], ...]
    description: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Result:
    """What a model asks of a transfer function it uses: an output, or a partial derivative of the first one.

    `wrt` names zero, one or two of the function's arguments.
    """

    use: str
    output: str
    wrt: tuple[str, ...] = ()

    @property
    def symbol(self) -> sp.Symbol:
        """The real symbol that stands for it in a model's expressions: `F`, `F.mu_V`, `diff(F, a, b)`."""
        return sp.Symbol(str(self), real=True)

    def __str__(self) -> str:
        value = f"{self.use}.{self.output}" if self.output else self.use
        return f"diff({', '.join((value, *sorted(self.wrt)))})" if self.wrt else value
