"""Exact first and second derivatives of a transfer function, statement by statement.

Second-order forward mode: every statement is differentiated with respect to its direct inputs only, and the chain
rule is written as further statements. This stays linear in the number of statements, where differentiating the
composed formula grows without bound. Three things keep the count of operations low:

* an argument that enters through one affine statement is replaced by that statement as the variable, so that its
  seed is 1, and the result is scaled at the end;
* a statement that is affine in one input passes its slope on to its users instead of having derivatives of its own;
* a derivative that contains the statement's own value (of exp, sqrt, a power) refers to that value.

Knows SymPy and `ratemlx.transfer.base` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.transfer.base import TransferFunction

Wrt = tuple[str, ...]
Request = tuple[str, Wrt]
Named = tuple[str, sp.Expr]
Reach = tuple[sp.Symbol, sp.Symbol, sp.Expr]
"""A direct input of a statement, the symbol it is affine in (often itself), and its slope."""


@dataclass(frozen=True)
class Expansion:
    """Statements, in order, that compute what was asked for, and where each result is found."""

    statements: tuple[Named, ...]
    results: Mapping[Request, sp.Expr]


def expand(function: TransferFunction, requests: Iterable[Request]) -> Expansion:
    """The statements for `requests`: pairs of an output's name and zero, one or two names of arguments.

    The order of two arguments does not matter. Raises InternalError for a name that the function lacks.
    """
    wanted = tuple(dict.fromkeys((output, tuple(sorted(wrt))) for output, wrt in requests))
    _check(function, wanted)
    symbol = {name: _symbol(name) for name, _ in function.statements}
    arguments = sorted({argument for _, wrt in wanted for argument in wrt})
    pivots = {argument: _pivot(function, argument, wanted) for argument in arguments}
    chain = _Chain(tuple(pivot.name for pivot in pivots.values()))
    for name, expression in function.statements:
        chain.append(symbol[name], expression)
    results = {}
    for output, wrt in wanted:
        scale = sp.Mul(*(pivots[argument].slope for argument in wrt))
        value = chain.derivative(symbol[output], tuple(pivots[argument].name for argument in wrt))
        results[output, wrt] = scale * value
    return Expansion(_needed(chain.statements, results.values()), results)


def _check(function: TransferFunction, wanted: Sequence[Request]) -> None:
    outputs = {name for name, _ in function.statements}
    arguments = {argument.name for argument in function.arguments}
    for output, wrt in wanted:
        if output not in outputs or not arguments.issuperset(wrt) or len(wrt) > 2:
            raise InternalError(f"transfer function {function.name} has no {output!r} by {wrt}")


def _symbol(name: str) -> sp.Symbol:
    return sp.Symbol(name, real=True)


@dataclass(frozen=True)
class _Pivot:
    """The variable that stands for an argument, and its slope with respect to it."""

    name: str
    slope: sp.Expr


def _pivot(function: TransferFunction, argument: str, wanted: Sequence[Request]) -> _Pivot:
    """Follow an argument through affine statements for as long as nothing else uses it.

    It ends at an output that is asked for, and before a statement that another argument of the requests reaches: there
    the two would share one variable.
    """
    varying = {_symbol(item.name) for item in function.arguments}
    varying |= {_symbol(name) for name, _ in function.statements}
    outputs = {output for output, _ in wanted}
    others = {name for _, wrt in wanted for name in wrt} - {argument}
    reached = _reached(function, others)
    name, slope = argument, sp.Integer(1)
    while name not in outputs:
        users = [item for item in function.statements if _symbol(name) in item[1].free_symbols]
        if len(users) != 1 or users[0][0] in reached:
            break
        user, expression = users[0]
        step = partial_derivative(expression, _symbol(name))
        if step.free_symbols & varying:
            break
        name, slope = user, slope * step
    return _Pivot(name, slope)


def _reached(function: TransferFunction, arguments: set[str]) -> set[str]:
    """Statements that depend on one of some arguments, directly or through others."""
    reached = set(arguments)
    for name, expression in function.statements:
        if {str(item.name) for item in expression.free_symbols} & reached:
            reached.add(name)
    return reached


class _Chain:
    """The statements written so far, and the derivatives of each by the pivots."""

    def __init__(self, pivots: tuple[str, ...]) -> None:
        self.pivots = tuple(dict.fromkeys(pivots))
        self.pairs: tuple[tuple[str, str], ...] = tuple(combinations_with_replacement(sorted(self.pivots), 2))
        self.statements: list[Named] = []
        self._first: dict[sp.Symbol, dict[str, sp.Expr]] = {}
        self._second: dict[sp.Symbol, dict[Wrt, sp.Expr]] = {}
        self._alias: dict[sp.Symbol, tuple[sp.Symbol, sp.Expr]] = {}
        for pivot in self.pivots:
            self._seed(_symbol(pivot))

    def derivative(self, value: sp.Symbol, wrt: Wrt) -> sp.Expr:
        """The derivative of a statement by zero, one or two pivots."""
        if not wrt:
            return value
        base, slope = self._alias.get(value, (value, sp.Integer(1)))
        if base not in self._first:
            return sp.Integer(0)
        if len(wrt) == 1:
            return slope * self._first[base][wrt[0]]
        return slope * self._second[base][tuple(sorted(wrt))]

    def append(self, value: sp.Symbol, expression: sp.Expr) -> None:
        """Add a statement and those for its derivatives."""
        self.statements.append((value.name, expression))
        if value.name in self.pivots:
            return
        inputs = self._inputs(expression)
        bases = list(dict.fromkeys(base for _, base, _ in inputs))
        if not bases:
            return
        partials = {base: _own_value(_partial(expression, inputs, base), expression, value) for base in bases}
        if len(bases) == 1 and not self._varies(partials[bases[0]], value):
            self._alias[value] = (bases[0], partials[bases[0]])
            return
        self._write(value, expression, inputs, partials)

    def _seed(self, pivot: sp.Symbol) -> None:
        self._first[pivot] = {name: sp.Integer(int(name == pivot.name)) for name in self.pivots}
        self._second[pivot] = dict.fromkeys(self.pairs, sp.Integer(0))

    def _inputs(self, expression: sp.Expr) -> list[Reach]:
        """Direct inputs that vary with a pivot: the symbol, the one it is affine in, and the slope."""
        found = []
        for name in sorted(expression.free_symbols, key=lambda item: str(item.name)):
            base, slope = self._alias.get(name, (name, sp.Integer(1)))
            if base in self._first:
                found.append((name, base, slope))
        return found

    def _varies(self, expression: sp.Expr, value: sp.Symbol) -> bool:
        known = self._first.keys() | self._alias.keys() | {value}
        return bool(expression.free_symbols & known)

    def _write(
        self,
        value: sp.Symbol,
        expression: sp.Expr,
        inputs: Sequence[Reach],
        partials: dict[sp.Symbol, sp.Expr],
    ) -> None:
        named = {
            base: self._name(f"{value.name}.by_{_short(base.name)}", partial) for base, partial in partials.items()
        }
        first = {
            pivot: self._name(
                f"{value.name}.d_{_short(pivot)}",
                sp.Add(*(named[base] * self._first[base][pivot] for base in partials)),
            )
            for pivot in self.pivots
        }
        curvature = self._curvature(value, expression, inputs, partials)
        second: dict[Wrt, sp.Expr] = {}
        for one, other in self.pairs:
            terms = [
                named[base] * self._second[base][one, other] + self._first[base][one] * curvature[base, other]
                for base in partials
            ]
            second[one, other] = self._name(f"{value.name}.d_{_short(one)}_{_short(other)}", sp.Add(*terms))
        self._first[value], self._second[value] = first, second

    def _curvature(
        self,
        value: sp.Symbol,
        expression: sp.Expr,
        inputs: Sequence[Reach],
        partials: dict[sp.Symbol, sp.Expr],
    ) -> dict[tuple[sp.Symbol, str], sp.Expr]:
        """How each partial derivative changes along each pivot."""
        found = {}
        for base in partials:
            slope = _partial(expression, inputs, base)
            rates = {other: _own_value(_partial(slope, inputs, other), expression, value) for other in partials}
            for pivot in self.pivots:
                total = sp.Add(*(rates[other] * self._first[other][pivot] for other in partials))
                found[base, pivot] = self._name(f"{value.name}.by_{_short(base.name)}_d_{_short(pivot)}", total)
        return found

    def _name(self, name: str, expression: sp.Expr) -> sp.Expr:
        """A statement of its own, unless the expression is as short as its name."""
        if expression.is_Number or expression.is_Symbol or (-expression).is_Symbol:
            return expression
        self.statements.append((name, expression))
        return _symbol(name)


def _partial(expression: sp.Expr, inputs: Sequence[Reach], base: sp.Symbol) -> sp.Expr:
    """Partial derivative by a base, through every input that is affine in it."""
    return sp.Add(*(slope * partial_derivative(expression, name) for name, its, slope in inputs if its == base))


def _own_value(derivative: sp.Expr, expression: sp.Expr, value: sp.Symbol) -> sp.Expr:
    """A derivative that contains the value of the statement itself, referring to it by name."""
    return derivative.subs(expression, value) if isinstance(expression, (sp.Pow, sp.Function)) else derivative


def partial_derivative(expression: sp.Expr, by: sp.Symbol) -> sp.Expr:
    """The derivative where there is one: at kinks of max, min and abs that of one side, of steps zero."""
    steps = {item: sp.Dummy(real=True) for item in expression.atoms(sp.floor, sp.ceiling)}
    smooth = expression.xreplace(steps).replace(lambda item: isinstance(item, _KINKED), _by_cases)
    return sp.diff(smooth, by).xreplace({dummy: item for item, dummy in steps.items()})


_KINKED = (sp.Max, sp.Min, sp.Abs)


def _by_cases(expression: sp.Expr) -> sp.Expr:
    """max, min and abs as choices between smooth expressions."""
    if isinstance(expression, sp.Abs):
        (value,) = expression.args
        return sp.Piecewise((value, value >= 0), (-value, True))
    compare = sp.Ge if isinstance(expression, sp.Max) else sp.Le
    values = list(expression.args)
    cases = [
        (value, sp.And(*(compare(value, other) for other in values[place + 1 :]))) for place, value in enumerate(values)
    ]
    return sp.Piecewise(*cases[:-1], (values[-1], True))


def _short(name: str) -> str:
    """A name without the name of the function's use before it."""
    return name.rpartition(".")[2]


def _needed(statements: Sequence[Named], results: Iterable[sp.Expr]) -> tuple[Named, ...]:
    """Statements that some result depends on, in their order."""
    live = {symbol.name for result in results for symbol in result.free_symbols}
    kept = []
    for name, expression in reversed(statements):
        if name in live:
            kept.append((name, expression))
            live |= {symbol.name for symbol in expression.free_symbols}
    return tuple(reversed(kept))
