"""SymPy expressions as Python: of single numbers for numba to compile, or of whole NumPy arrays."""

from __future__ import annotations

import math
import re

import sympy as sp

from ratemlx.passes.share import ErfcGauss
from ratemlx.targets.expression_printer import ATOM, SUM, ExpressionPrinter
from ratemlx.targets.python_text import bare

FUNCTIONS: dict[type[sp.Basic], str] = {
    sp.exp: "exp",
    sp.log: "log",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.tanh: "tanh",
    sp.Abs: "abs",
    sp.ceiling: "ceil",
    sp.floor: "floor",
    sp.erf: "erf",
    sp.erfc: "erfc",
}


class PythonPrinter(ExpressionPrinter):
    """Prints expressions of numbers, with functions of the module `math` by their own names."""

    functions = FUNCTIONS
    power_is_operator = True

    def literal(self, value: float) -> str:
        """A number as Python writes it."""
        return "inf" if math.isinf(value) else repr(value)

    def argument(self, expression: sp.Expr) -> str:
        """An argument needs no parentheses."""
        return self.print(expression, SUM)

    def call(self, name: str, *arguments: str) -> str:
        """A call."""
        return f"{name}({', '.join(arguments)})"

    def function(self, expression: sp.Expr) -> str:
        """A call; a Gaussian beside erfc is of no use here."""
        if isinstance(expression, ErfcGauss):
            expression = sp.erfc(expression.args[0], evaluate=False)
        return super().function(expression)

    def integer_power(self, base: sp.Expr, exponent: int) -> str:
        """A power that compilers turn into products."""
        return _power(self._base(base), str(exponent))

    def general_power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """Any other power."""
        return _power(self._base(base), self._base(exponent))

    def _base(self, expression: sp.Expr) -> str:
        """An operand of a power, which binds tighter than all other operators and to the right."""
        text = self.print(expression, ATOM)
        return f"({text})" if expression.is_Pow and "**" in text else text

    def extremum(self, greatest: bool, first: str, second: str) -> str:
        """Built in; the first operand stays if nothing compares with it."""
        return self.call("max" if greatest else "min", first, second)

    def choice(self, condition: str, value: str, other: str) -> str:
        """A conditional expression; only the value that is chosen is computed."""
        return f"({value} if {bare(condition)} else {other})"

    def truth(self, value: bool) -> str:
        """A truth value."""
        return str(value)

    def negation(self, condition: str) -> str:
        """Not a condition."""
        return f"(not {condition})"

    def conjunction(self, first: str, second: str) -> str:
        """Both conditions."""
        return f"({first} and {second})"

    def disjunction(self, first: str, second: str) -> str:
        """Either condition."""
        return f"({first} or {second})"


class NumpyPrinter(PythonPrinter):
    """Prints expressions of arrays, with functions of the module `np`."""

    def literal(self, value: float) -> str:
        """A number as Python writes it."""
        return "np.inf" if math.isinf(value) else repr(value)

    def call(self, name: str, *arguments: str) -> str:
        """A function of NumPy, or of SciPy where NumPy has none."""
        return super().call(name if name in ("erf", "erfc") else f"np.{name}", *arguments)

    def extremum(self, greatest: bool, first: str, second: str) -> str:
        """Element by element; what is not a number stays."""
        return self.call("maximum" if greatest else "minimum", first, second)

    def choice(self, condition: str, value: str, other: str) -> str:
        """Element by element; both values are computed."""
        return self.call("where", bare(condition), value, other)

    def negation(self, condition: str) -> str:
        """Element by element."""
        return f"~({bare(condition)})"

    def conjunction(self, first: str, second: str) -> str:
        """Element by element."""
        return f"({first} & {second})"

    def disjunction(self, first: str, second: str) -> str:
        """Element by element."""
        return f"({first} | {second})"


def _power(base: str, exponent: str) -> str:
    """Operands that are names or numbers stand close to the operator."""
    return f"{base}**{exponent}" if re.fullmatch(r"[\w.]+", base + exponent) else f"{base} ** {exponent}"
