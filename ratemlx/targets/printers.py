"""SymPy expressions as text of the C-family dialect that both kernels share.

The dialect's types are `scalar` (one number) and `real` (one number on a GPU, a SIMD vector on a CPU); the header of
each target supplies them and the functions below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import sympy as sp

from ratemlx.passes.share import ErfcGauss
from ratemlx.targets.expression_printer import SUM, ExpressionPrinter

FUNCTIONS: dict[type[sp.Basic], str] = {
    sp.exp: "exp",
    sp.log: "log",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.tanh: "tanh",
    sp.Abs: "fabs",
    sp.ceiling: "ceil",
    sp.floor: "floor",
    sp.erf: "erf",
    sp.erfc: "erfc",
    ErfcGauss: "erfc_gauss",
}


class Printer(ExpressionPrinter):
    """Prints expressions over known names; `scalars` are the names whose type is `scalar`."""

    functions = FUNCTIONS

    def __init__(self, names: Mapping[str, str], scalars: frozenset[str]) -> None:
        super().__init__(names)
        self.scalars = scalars

    def real(self, expression: sp.Expr) -> str:
        """An expression of type `real`."""
        text = self.print(expression, SUM)
        return f"splat({text})" if self.is_scalar(expression) else text

    def is_scalar(self, expression: sp.Expr) -> bool:
        """Whether the expression's type is `scalar`: a number, or built of scalars without functions."""
        if not {str(item.name) for item in expression.free_symbols} <= self.scalars:
            return False
        return not expression.free_symbols or not expression.has(sp.Function, sp.Piecewise, sp.Max, sp.Min)

    def argument(self, expression: sp.Expr) -> str:
        """An argument of type `real`: functions of scalars do not exist."""
        return self.real(expression)

    def literal(self, value: float) -> str:
        """A number in the precision of the kernel."""
        return "R(INFINITY)" if math.isinf(value) else f"R({value!r})"

    def call(self, name: str, *arguments: str) -> str:
        """A call."""
        return f"{name}({', '.join(arguments)})"

    def integer_power(self, base: sp.Expr, exponent: int) -> str:
        """Powers that need no general `pow`."""
        name = {2: "square", 3: "cube"}.get(exponent, f"power<{exponent}>")
        return f"{name}({self.print(base, SUM)})"

    def general_power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """Any other power."""
        return self.call("pow", self.argument(base), self.argument(exponent))

    def extremum(self, greatest: bool, first: str, second: str) -> str:
        """Keeps what is not a number, unlike fmax and fmin."""
        return self.call("maximum" if greatest else "minimum", first, second)

    def choice(self, condition: str, value: str, other: str) -> str:
        """A selection by a mask; both values are computed."""
        return self.call("select", condition, value, other)

    def truth(self, value: bool) -> str:
        """A mask of equal lanes."""
        return f"splat(R(0.0)) {'==' if value else '!='} splat(R(0.0))"

    def negation(self, condition: str) -> str:
        """The other lanes of a mask."""
        return self.call("negate", condition)

    def conjunction(self, first: str, second: str) -> str:
        """Lanes of both masks."""
        return self.call("both", first, second)

    def disjunction(self, first: str, second: str) -> str:
        """Lanes of either mask."""
        return self.call("either", first, second)
