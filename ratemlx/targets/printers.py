"""SymPy expressions as text of the C-family dialect that both kernels share.

The dialect's types are `scalar` (one number) and `real` (one number on a GPU, a SIMD vector on a CPU); the header of
each target supplies them and the functions below. Nothing but this printer ever writes a formula into source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from ratemlx.errors import InternalError
from ratemlx.passes.share import ErfcGauss

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
RELATIONS = {sp.Lt: "<", sp.Le: "<=", sp.Gt: ">", sp.Ge: ">=", sp.Eq: "==", sp.Ne: "!="}
SUM, PRODUCT, ATOM = 1, 2, 3


class Printer:
    """Prints expressions over known names; `scalars` are the names whose type is `scalar`."""

    def __init__(self, names: Mapping[str, str], scalars: frozenset[str]) -> None:
        self.names = names
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

    def print(self, expression: sp.Expr, level: int) -> str:
        """An expression, in parentheses where its operator binds less than `level`."""
        if not expression.free_symbols:
            return self._number(expression, level)
        if expression.is_Symbol:
            return self._symbol(expression)
        if expression.is_Add:
            return _wrapped(self._sum(expression), SUM, level)
        if expression.is_Mul:
            return _wrapped(self._product(expression), PRODUCT, level)
        if expression.is_Pow:
            return self._power(expression, level)
        return self._call(expression)

    def _symbol(self, expression: sp.Symbol) -> str:
        name = str(expression.name)
        if name not in self.names:
            raise InternalError(f"the printer was given an unknown name: {name!r}")
        return self.names[name]

    def _number(self, expression: sp.Expr, level: int) -> str:
        value = float(expression)
        if value != value:
            raise InternalError(f"not a number: {expression}")
        if value in (float("inf"), float("-inf")):
            return "R(INFINITY)" if value > 0 else "(-R(INFINITY))"
        text = f"R({abs(value)!r})"
        return text if value >= 0 else _wrapped(f"-{text}", SUM, level)

    def _sum(self, expression: sp.Add) -> str:
        numbers = [item for item in expression.args if item.is_number]
        terms = [item for item in expression.args if not item.is_number]
        terms.sort(key=lambda item: item.could_extract_minus_sign())
        if numbers:
            number = sp.Add(*numbers)
            leads = number.is_positive and terms[0].could_extract_minus_sign()
            terms.insert(0 if leads else len(terms), number)
        text = self.print(terms[0], SUM)
        for item in terms[1:]:
            if item.could_extract_minus_sign():
                text += f" - {self.print(-item, PRODUCT)}"
            else:
                text += f" + {self.print(item, PRODUCT)}"
        return text

    def _product(self, expression: sp.Mul) -> str:
        above, below = [], []
        number = sp.Integer(1)
        for item in expression.args:
            if item.is_number:
                number *= item
            elif item.is_Pow and item.exp.is_Rational and item.exp.is_negative:
                below.append(1 / item)
            else:
                above.append(item)
        sign = "-" if number.is_negative else ""
        number = abs(number)
        factors = [] if number == 1 and above else [number]
        text = " * ".join(self.print(item, ATOM) for item in (*factors, *above))
        if below:
            under = " * ".join(self.print(item, ATOM) for item in below)
            text += f" / ({under})" if len(below) > 1 else f" / {under}"
        return sign + text

    def _power(self, expression: sp.Pow, level: int) -> str:
        base, exponent = expression.args
        if exponent.is_Rational and exponent.is_negative:
            return _wrapped(f"R(1.0) / {self.print(1 / expression, ATOM)}", PRODUCT, level)
        if exponent == 2:
            return f"square({self.print(base, SUM)})"
        if exponent == 3:
            return f"cube({self.print(base, SUM)})"
        if exponent == sp.Rational(1, 2):
            return f"sqrt({self._argument(base)})"
        if exponent.is_Integer and exponent <= 64:
            return f"power<{int(exponent)}>({self.print(base, SUM)})"
        if exponent.is_Rational and exponent.q == 2 and exponent.p <= 128:
            return _wrapped(
                f"{self.print(base ** (exponent.p // 2), ATOM)} * {self._call(sp.sqrt(base))}", PRODUCT, level
            )
        return f"pow({self._argument(base)}, {self._argument(exponent)})"

    def _argument(self, expression: sp.Expr) -> str:
        return self.real(expression)

    def _call(self, expression: sp.Expr) -> str:
        if expression.is_Pow:
            return self._power(expression, ATOM)
        if isinstance(expression, sp.Piecewise):
            return self._select(expression.args)
        if isinstance(expression, (sp.Max, sp.Min)):
            return self._extremum(expression)
        name = FUNCTIONS.get(type(expression))
        if name is None:
            raise InternalError(f"the printer does not know {type(expression).__name__}")
        return f"{name}({', '.join(self._argument(item) for item in expression.args)})"

    def _extremum(self, expression: sp.Expr) -> str:
        """The varying operand first, so that one that is not a number stays visible."""
        name = "maximum" if isinstance(expression, sp.Max) else "minimum"
        operands = sorted(expression.args, key=lambda item: (item.is_number, sp.default_sort_key(item)))
        text = self._argument(operands[0])
        for item in operands[1:]:
            text = f"{name}({text}, {self._argument(item)})"
        return text

    def _select(self, pairs: tuple[tuple[sp.Expr, sp.Basic], ...]) -> str:
        value, condition = pairs[0]
        if isinstance(condition, BooleanTrue) or len(pairs) == 1:
            return self._argument(value)
        return f"select({self.condition(condition)}, {self._argument(value)}, {self._select(pairs[1:])})"

    def condition(self, condition: sp.Basic) -> str:
        """A condition as a mask."""
        if isinstance(condition, (BooleanTrue, BooleanFalse)):
            return f"splat(R(0.0)) {'==' if condition else '!='} splat(R(0.0))"
        if isinstance(condition, Relational):
            left, right = (self._argument(item) for item in condition.args)
            return f"({left} {RELATIONS[type(condition)]} {right})"
        if isinstance(condition, sp.Not):
            return f"negate({self.condition(condition.args[0])})"
        join: Callable[[str, str], str]
        if isinstance(condition, sp.And):
            join = "both({}, {})".format
        elif isinstance(condition, sp.Or):
            join = "either({}, {})".format
        else:
            raise InternalError(f"the printer does not know the condition {condition}")
        operands = sorted(condition.args, key=sp.default_sort_key)
        text = self.condition(operands[0])
        for item in operands[1:]:
            text = join(text, self.condition(item))
        return text


def _wrapped(text: str, own: int, level: int) -> str:
    return f"({text})" if own < level else text
