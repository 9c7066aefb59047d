"""What printing an expression has in common in all languages: operators, their precedence, and what is refused.

A printer of one language says how it writes numbers, functions, powers, choices and conditions. Nothing but these
printers ever writes a formula into source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from ratemlx.errors import InternalError

RELATIONS = {sp.Lt: "<", sp.Le: "<=", sp.Gt: ">", sp.Ge: ">=", sp.Eq: "==", sp.Ne: "!="}
SUM, PRODUCT, ATOM = 1, 2, 3
LARGEST_POWER = 64


class ExpressionPrinter(ABC):
    """Prints expressions over known names; a name that it was not given is a bug."""

    functions: Mapping[type[sp.Basic], str]
    """Functions of one argument, by what they are called in the language."""

    power_is_operator = False
    """Whether powers are written with an operator, which binds tighter than a sign; else they are calls."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    @abstractmethod
    def literal(self, value: float) -> str:
        """A number that is not negative, perhaps infinite."""

    @abstractmethod
    def argument(self, expression: sp.Expr) -> str:
        """An expression as an argument of a function."""

    @abstractmethod
    def call(self, name: str, *arguments: str) -> str:
        """A call of one of `functions`."""

    @abstractmethod
    def integer_power(self, base: sp.Expr, exponent: int) -> str:
        """A base to an integer from 2 to LARGEST_POWER, binding as tightly as a name does within products."""

    @abstractmethod
    def general_power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """A base to any exponent, binding as tightly as a name does within products."""

    @abstractmethod
    def extremum(self, greatest: bool, first: str, second: str) -> str:
        """The larger or smaller of two; `first` if that is not a number."""

    @abstractmethod
    def choice(self, condition: str, value: str, other: str) -> str:
        """One of two values."""

    @abstractmethod
    def truth(self, value: bool) -> str:
        """A condition that always or never holds."""

    @abstractmethod
    def negation(self, condition: str) -> str:
        """What holds where a condition does not."""

    @abstractmethod
    def conjunction(self, first: str, second: str) -> str:
        """What holds where both of two conditions do."""

    @abstractmethod
    def disjunction(self, first: str, second: str) -> str:
        """What holds where one of two conditions does."""

    def print(self, expression: sp.Expr, level: int = SUM) -> str:
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
        text = self.literal(abs(value))
        if value == float("-inf"):
            return f"(-{text})"
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
        factors = [*([] if abs(number) == 1 and above else [abs(number)]), *above]
        first, *others = (self.print(item, ATOM) for item in factors)
        if number.is_negative:
            first = f"-({first})" if self.power_is_operator and _is_power(factors[0]) else f"-{first}"
        text = " * ".join((first, *others))
        if below:
            under = " * ".join(self.print(item, ATOM) for item in below)
            text += f" / ({under})" if len(below) > 1 else f" / {under}"
        return text

    def _power(self, expression: sp.Pow, level: int) -> str:
        base, exponent = expression.args
        if exponent.is_Rational and exponent.is_negative:
            return _wrapped(f"{self.literal(1.0)} / {self.print(1 / expression, ATOM)}", PRODUCT, level)
        if exponent == sp.Rational(1, 2):
            return self.call("sqrt", self.argument(base))
        if exponent.is_Integer and exponent <= LARGEST_POWER:
            return self.integer_power(base, int(exponent))
        if exponent.is_Rational and exponent.q == 2 and exponent.p <= 2 * LARGEST_POWER:
            whole = self.print(base ** (exponent.p // 2), ATOM)
            return _wrapped(f"{whole} * {self._call(sp.sqrt(base))}", PRODUCT, level)
        return self.general_power(base, exponent)

    def _call(self, expression: sp.Expr) -> str:
        if expression.is_Pow:
            return self._power(expression, ATOM)
        if isinstance(expression, sp.Piecewise):
            return self._select(expression.args)
        if isinstance(expression, (sp.Max, sp.Min)):
            return self._extremum(expression)
        return self.function(expression)

    def function(self, expression: sp.Expr) -> str:
        """A call of a function that the language has under a name of its own."""
        name = self.functions.get(type(expression))
        if name is None:
            raise InternalError(f"the printer does not know {type(expression).__name__}")
        return self.call(name, *(self.argument(item) for item in expression.args))

    def _extremum(self, expression: sp.Expr) -> str:
        """The varying operand first, so that one that is not a number stays visible."""
        operands = sorted(expression.args, key=lambda item: (item.is_number, sp.default_sort_key(item)))
        text = self.argument(operands[0])
        for item in operands[1:]:
            text = self.extremum(isinstance(expression, sp.Max), text, self.argument(item))
        return text

    def _select(self, pairs: tuple[tuple[sp.Expr, sp.Basic], ...]) -> str:
        value, condition = pairs[0]
        if isinstance(condition, BooleanTrue) or len(pairs) == 1:
            return self.argument(value)
        return self.choice(self.condition(condition), self.argument(value), self._select(pairs[1:]))

    def condition(self, condition: sp.Basic) -> str:
        """A condition: a comparison, or several of them joined."""
        if isinstance(condition, (BooleanTrue, BooleanFalse)):
            return self.truth(bool(condition))
        if isinstance(condition, Relational):
            left, right = (self.argument(item) for item in condition.args)
            return f"({left} {RELATIONS[type(condition)]} {right})"
        if isinstance(condition, sp.Not):
            return self.negation(self.condition(condition.args[0]))
        if not isinstance(condition, (sp.And, sp.Or)):
            raise InternalError(f"the printer does not know the condition {condition}")
        join = self.conjunction if isinstance(condition, sp.And) else self.disjunction
        operands = sorted(condition.args, key=sp.default_sort_key)
        text = self.condition(operands[0])
        for item in operands[1:]:
            text = join(text, self.condition(item))
        return text


def _is_power(expression: sp.Expr) -> bool:
    """Whether an expression is a power, and not one that is written with roots."""
    return bool(expression.is_Pow and not (expression.exp.is_Rational and expression.exp.q != 1))


def _wrapped(text: str, own: int, level: int) -> str:
    return f"({text})" if own < level else text
