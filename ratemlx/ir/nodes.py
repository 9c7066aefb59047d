"""The tree of an expression: frozen nodes, each with its place in the file.

Sums and products are flat lists of terms and factors, so that a long sum is not a deep tree. Knows nothing of
models, units or SymPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ratemlx.source import Span


@dataclass(frozen=True)
class Node:
    """A part of an expression."""

    span: Span | None


@dataclass(frozen=True)
class Number(Node):
    """A literal number, exact as written."""

    value: Fraction


@dataclass(frozen=True)
class Name(Node):
    """A quantity by its name, or `pi`, `inf`, `dt`, `n_node`."""

    name: str


@dataclass(frozen=True)
class Item(Node):
    """An element of a vector constant: `P[3]`."""

    name: str
    index: int


@dataclass(frozen=True)
class Output(Node):
    """A further output of a transfer function: `F.mu_V`."""

    use: str
    output: str


@dataclass(frozen=True)
class Derivative(Node):
    """The partial derivative of a transfer function by one or two of its arguments: `diff(F, a, b)`."""

    use: Name
    wrt: tuple[Name, ...]


@dataclass(frozen=True)
class Negation(Node):
    """`-x`."""

    operand: Node


@dataclass(frozen=True)
class Sum(Node):
    """Terms with their signs: `a + b - c`."""

    terms: tuple[tuple[Literal["+", "-"], Node], ...]


@dataclass(frozen=True)
class Product(Node):
    """Factors and divisors, from left to right: `a * b / c`."""

    factors: tuple[tuple[Literal["*", "/"], Node], ...]


@dataclass(frozen=True)
class Power(Node):
    """`base ^ exponent`."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Comparison(Node):
    """`a < b`, or a chain `a < b <= c`, which means `a < b and b <= c`."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Logical(Node):
    """`a and b and c`, or the same with `or`."""

    operator: Literal["and", "or"]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Not(Node):
    """`not a`."""

    operand: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of the closed list with its arguments."""

    function: str
    arguments: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in the order of the text."""
    match node:
        case Negation(operand=operand) | Not(operand=operand):
            return (operand,)
        case Sum(terms=parts) | Product(factors=parts):
            return tuple(part for _, part in parts)
        case Power(base=base, exponent=exponent):
            return (base, exponent)
        case Comparison(operands=operands) | Logical(operands=operands) | Call(arguments=operands):
            return operands
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first, in the order of the text."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(children(current)))


def is_condition(node: Node) -> bool:
    """Whether the node is a truth value by its form."""
    return isinstance(node, Comparison | Logical | Not)
