"""The expression language: text in, a tree of frozen nodes out.

A small precedence parser of our own: nothing is ever handed to Python's parser, `eval` or SymPy's `sympify`. Depth,
length, digits and exponents are capped, so that no text costs more than milliseconds here or in SymPy later.

    lowest   or, and, not, comparisons, + -, * /, unary -, ^ ** (from the right)   highest

Knows nothing of models: whether a name exists is `ratemlx.ir.scope`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal, NoReturn, cast

from ratemlx.ir import limits
from ratemlx.ir.functions import FUNCTIONS, INSTEAD
from ratemlx.ir.names import did_you_mean
from ratemlx.ir.nodes import (
    Call,
    Comparison,
    Derivative,
    Item,
    Logical,
    Name,
    Negation,
    Node,
    Not,
    Number,
    Output,
    Power,
    Product,
    Sum,
)
from ratemlx.ir.to_sympy import to_sympy
from ratemlx.ir.tokens import Scanner, Token, fail
from ratemlx.source import Span, Text

__all__ = ["parse_expression", "to_sympy"]

MAX_DEPTH = 40
MAX_DIGITS = 40
MAX_INDEX = 4

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
KEYWORDS = ("and", "or", "not")
PYTHON_ONLY = ("lambda", "if", "else", "for", "in", "is", "await", "yield", "import", "True", "False", "None")


def parse_expression(text: Text) -> Node:
    """The tree of an expression; raises ModelError with one diagnostic at the first fault."""
    parser = _Parser(text)
    node = parser.whole()
    limits.check(node)
    return node


class _Parser:
    """One method for each level of precedence, lowest first."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.scanner = Scanner(text)
        self.depth = 0

    def whole(self) -> Node:
        if self.scanner.current.kind == "end":
            fail(self.text, 0, len(self.text.value), "the expression is empty")
        node = self._or()
        token = self.scanner.current
        if token.kind != "end":
            self._unexpected(token)
        return node

    # Levels of precedence.

    def _or(self) -> Node:
        return self._logical("or", lambda: self._logical("and", self._not))

    def _logical(self, operator: Literal["and", "or"], below: Callable[[], Node]) -> Node:
        start = self.scanner.current.start
        operands = [below()]
        while self._take("name", operator):
            operands.append(below())
        return operands[0] if len(operands) == 1 else Logical(self._span(start), operator, tuple(operands))

    def _not(self) -> Node:
        start = self.scanner.current.start
        if not self._take("name", "not"):
            return self._comparison()
        operand = self._deeper(self._not, start)
        return Not(self._span(start), operand)

    def _comparison(self) -> Node:
        start = self.scanner.current.start
        operands, operators = [self._sum()], []
        while self.scanner.current.text in COMPARISONS:
            operators.append(self.scanner.advance().text)
            operands.append(self._sum())
        return Comparison(self._span(start), tuple(operators), tuple(operands)) if operators else operands[0]

    def _sum(self) -> Node:
        start = self.scanner.current.start
        terms: list[tuple[Literal["+", "-"], Node]] = [("+", self._product())]
        while self.scanner.current.text in ("+", "-"):
            sign = cast(Literal["+", "-"], self.scanner.advance().text)
            terms.append((sign, self._product()))
        return Sum(self._span(start), tuple(terms)) if len(terms) > 1 else terms[0][1]

    def _product(self) -> Node:
        start = self.scanner.current.start
        factors: list[tuple[Literal["*", "/"], Node]] = [("*", self._unary())]
        while self.scanner.current.text in ("*", "/"):
            operator = cast(Literal["*", "/"], self.scanner.advance().text)
            factors.append((operator, self._unary()))
        return Product(self._span(start), tuple(factors)) if len(factors) > 1 else factors[0][1]

    def _unary(self) -> Node:
        start = self.scanner.current.start
        if self._take("operator", "-"):
            operand = self._deeper(self._unary, start)
            return Negation(self._span(start), operand)
        if self._take("operator", "+"):
            return self._deeper(self._unary, start)
        return self._power()

    def _power(self) -> Node:
        start = self.scanner.current.start
        base = self._atom()
        if not (self._take("operator", "^") or self._take("operator", "**")):
            return base
        exponent = self._deeper(self._unary, self.scanner.current.start)
        return Power(self._span(start), base, exponent)

    # Atoms.

    def _atom(self) -> Node:
        token = self.scanner.current
        if token.kind == "number":
            return self._number(self.scanner.advance())
        if token.kind == "name" and token.text not in KEYWORDS:
            return self._named(self.scanner.advance())
        if token.text == "(":
            self.scanner.advance()
            node = self._deeper(self._or, token.start)
            self._close(")", token)
            if self.scanner.current.text == ".":
                self._unexpected(self.scanner.current)
            return node
        return self._no_value(token)

    def _number(self, token: Token) -> Node:
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa) > MAX_DIGITS or abs(int(exponent[:8] or 0)) > 308 or len(exponent) > 8:
            message = f"a number has at most {MAX_DIGITS} digits and an exponent of at most 308"
            fail(self.text, token.start, token.end, message, code="limit")
        return Number(self._span(token.start), Fraction(token.text))

    def _named(self, token: Token) -> Node:
        following = self.scanner.current.text
        if following == "(":
            return self._derivative(token) if token.text == "diff" else self._call(token)
        if token.text in PYTHON_ONLY:
            self._foreign_word(token)
        if following == "[":
            return self._item(token)
        if following == ".":
            return self._output(token)
        return Name(self._span(token.start), token.text)

    def _call(self, token: Token) -> Node:
        function = FUNCTIONS.get(token.text)
        if function is None:
            hint = INSTEAD.get(token.text) or did_you_mean(token.text, [*FUNCTIONS, "diff"])
            hint = hint or f"there are {', '.join([*FUNCTIONS, 'diff'])}"
            fail(self.text, token.start, token.end, f"unknown function '{token.text}'", hint, "unknown-function")
        arguments = self._arguments(token)
        if not function.least <= len(arguments) <= function.most:
            message = f"'{token.text}' does not take {_count(len(arguments), 'argument')}"
            fail(self.text, token.start, self.scanner.previous_end, message, f"write {function.usage}")
        return Call(self._span(token.start), token.text, tuple(arguments))

    def _arguments(self, token: Token) -> list[Node]:
        """What stands between the brackets of a call, none or more expressions."""
        opening = self.scanner.advance()
        arguments = []
        if self.scanner.current.text != ")":
            arguments.append(self._deeper(self._or, token.start))
            while self._take("operator", ","):
                arguments.append(self._deeper(self._or, token.start))
        self._close(")", opening)
        return arguments

    def _derivative(self, token: Token) -> Node:
        arguments = self._arguments(token)
        names = [argument for argument in arguments if isinstance(argument, Name)]
        if len(names) < len(arguments) or not 2 <= len(names) <= 3:
            message = "diff takes the name of a transfer function and one or two names of its arguments"
            hint = "write diff(F, a) or diff(F, a, b)"
            fail(self.text, token.start, self.scanner.previous_end, message, hint)
        return Derivative(self._span(token.start), names[0], tuple(names[1:]))

    def _item(self, token: Token) -> Node:
        opening = self.scanner.advance()
        index = self.scanner.current
        if index.kind != "number" or not index.text.isdigit() or len(index.text) > MAX_INDEX:
            message = "an index is a whole number that is written out"
            fail(self.text, index.start, max(index.end, index.start + 1), message, f"as in {token.text}[0]")
        self.scanner.advance()
        self._close("]", opening)
        return Item(self._span(token.start), token.text, int(index.text))

    def _output(self, token: Token) -> Node:
        self.scanner.advance()
        output = self.scanner.current
        if output.kind != "name":
            self._no_value(output)
        self.scanner.advance()
        if self.scanner.current.text in (".", "(", "["):
            self._unexpected(self.scanner.current)
        return Output(self._span(token.start), token.text, output.text)

    # Tools.

    def _deeper(self, parse: Callable[[], Node], start: int) -> Node:
        """Parse one level further down; `start` is where a message about too many levels points."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"the expression is nested more than {MAX_DEPTH} levels deep"
            fail(self.text, start, start + 1, message, limits.SPLIT, "limit")
        node = parse()
        self.depth -= 1
        return node

    def _take(self, kind: str, text: str) -> bool:
        """Take the current token if it is this one."""
        token = self.scanner.current
        if token.kind != kind or token.text != text:
            return False
        self.scanner.advance()
        return True

    def _close(self, bracket: str, opening: Token) -> None:
        token = self.scanner.current
        if token.kind == "end":
            fail(self.text, opening.start, opening.end, f"'{opening.text}' is never closed")
        if token.text != bracket:
            self._unexpected(token)
        self.scanner.advance()

    def _unexpected(self, token: Token) -> NoReturn:
        """Refuse what stands behind a complete value."""
        if token.text in PYTHON_ONLY:
            self._foreign_word(token)
        if token.kind in ("name", "number") or token.text == "(":
            message, hint = f"an operator is missing before '{token.text}'", None
        else:
            message, hint = _CANNOT_FOLLOW.get(token.text, (f"'{token.text}' cannot stand here", None))
        fail(self.text, token.start, max(token.end, token.start + 1), message, hint)

    def _no_value(self, token: Token) -> NoReturn:
        """Refuse what stands where a value should begin."""
        if token.kind == "end":
            last = max(self.scanner.previous_end - 1, 0)
            fail(self.text, last, last + 1, "the expression ends where a value should follow")
        fail(self.text, token.start, token.end, f"a value should stand before '{token.text}'")

    def _foreign_word(self, token: Token) -> NoReturn:
        hint = INSTEAD["if"] if token.text in ("if", "else") else None
        fail(self.text, token.start, token.end, f"'{token.text}' is not part of the language", hint)

    def _span(self, start: int) -> Span | None:
        return self.text.place(start, self.scanner.previous_end)


_CANNOT_FOLLOW = {
    ".": ("'.' stands only between a transfer function and one of its outputs", "as in F_e.mu_V"),
    ",": ("',' stands only between the arguments of a function", "a decimal point is written as 0.05"),
    "[": ("'[' stands only behind the name of a vector constant", "as in P[0]"),
}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)
