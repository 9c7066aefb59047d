"""What an expression may cost: what passes here is cheap in exact arithmetic and in SymPy.

Length, depth and digits are capped where the text is read; this looks at the finished tree.
"""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.ir.fold import constant_value
from ratemlx.ir.nodes import Call, Comparison, Logical, Node, Not, Power, children, is_condition, walk

MAX_DEGREE = 256
MAX_CHOICES = 8  # SymPy compares the arguments of Max and Min in pairs, for 15 ms each where they are long
MAX_COMPARISONS = 200
SPLIT = "give parts of it names with DerivedVariables"


def check(node: Node) -> None:
    """Raise ModelError for a constant part without a finite value, and for what SymPy would work on for long."""
    constant_value(node)
    _check_degree(node, MAX_DEGREE)
    _check_counts(node)
    _check_conditions(node)


def _check_degree(node: Node, allowed: float) -> None:
    """Powers of powers multiply their exponents; the product is capped."""
    if isinstance(node, Power):
        exponent = constant_value(node.exponent)
        allowed /= max(1.0, abs(exponent) if exponent is not None else 1.0)
        if allowed < 1:
            raise _error(node, f"nested powers multiply to more than {MAX_DEGREE}", SPLIT)
    for child in children(node):
        _check_degree(child, allowed)


def _check_counts(node: Node) -> None:
    """SymPy looks at pairs of comparisons, and at pairs of arguments of min and max."""
    comparisons = 0
    for part in walk(node):
        comparisons += len(part.operators) if isinstance(part, Comparison) else 0
        if comparisons > MAX_COMPARISONS:
            raise _error(part, f"an expression has at most {MAX_COMPARISONS} comparisons", SPLIT)
        if isinstance(part, Call) and part.function in ("min", "max") and _choices(part) > MAX_CHOICES:
            raise _error(part, f"{part.function} chooses among at most {MAX_CHOICES} values", SPLIT)


def _choices(node: Call) -> int:
    """How many values a nest of the same function chooses among."""
    nested = [item for item in node.arguments if isinstance(item, Call) and item.function == node.function]
    return len(node.arguments) - len(nested) + sum(map(_choices, nested))


def _check_conditions(node: Node) -> None:
    """No choice within what a condition compares: SymPy would multiply out all combinations of choices."""
    for value in (value for part in walk(node) for value in _compared(part)):
        for part in walk(value):
            if _chooses(part) or is_condition(part):
                hint = "give the inner one a name with a DerivedVariable"
                raise _error(part, "a condition cannot compare the result of another one", hint)


def _compared(node: Node) -> Iterator[Node]:
    """The values whose size decides: those compared, and numbers that stand for a truth value."""
    if isinstance(node, Comparison) or (isinstance(node, Call) and node.function == "heaviside"):
        yield from children(node)
    elif isinstance(node, Logical | Not):
        yield from (child for child in children(node) if not is_condition(child))
    elif _chooses(node) and not is_condition(children(node)[0]):
        yield children(node)[0]


def _chooses(node: Node) -> bool:
    return isinstance(node, Call) and node.function in ("where", "heaviside")


def _error(node: Node, message: str, hint: str) -> ModelError:
    return ModelError([Diagnostic("limit", message, node.span, hint)])
