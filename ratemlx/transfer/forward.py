"""Exact first and second derivatives of a transfer function, statement by statement.

Second-order forward mode: every statement is differentiated with respect to its direct inputs only, and the chain
rule is written as further statements. This stays linear in the number of statements, where differentiating the
composed formula grows without bound. These things keep the count of operations low:

* an argument that enters through one affine statement is replaced by that statement as the variable, so that its
  seed is 1, and the result is scaled at the end;
* a statement that is affine in one input passes its slope on to its users instead of having derivatives of its own;
* a derivative that contains the statement's own value (of exp, sqrt, a power) refers to that value;
* a weighted sum of second derivatives is carried along as one number (see `chain`);
* sums are put where they cost least (see `reshape`).

Knows SymPy and transfer functions only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.transfer.base import TransferFunction
from ratemlx.transfer.chain import Chain, Form, Named, Pair, sorted_pair
from ratemlx.transfer.partials import partial_derivative, real_symbol, short_name
from ratemlx.transfer.reshape import reshape

Wrt = tuple[str, ...]
Request = tuple[str, Wrt]


@dataclass(frozen=True)
class Contraction:
    """A sum of second derivatives of one output, each by two arguments and with a weight.

    Weights may be any expressions that the function's statements do not appear in.
    """

    output: str
    weights: tuple[tuple[Wrt, sp.Expr], ...]


@dataclass(frozen=True)
class Expansion:
    """Statements, in order, that compute what was asked for, and where each result is found."""

    statements: tuple[Named, ...]
    results: Mapping[Request, sp.Expr]
    contracted: Mapping[Contraction, sp.Expr] = field(default_factory=dict)


def expand(
    function: TransferFunction, requests: Iterable[Request], contractions: Iterable[Contraction] = ()
) -> Expansion:
    """The statements for `requests`, pairs of an output's name and zero, one or two names of arguments, and for sums.

    The order of two arguments does not matter. Raises InternalError for a name that the function lacks.
    """
    wanted = tuple(dict.fromkeys((output, tuple(sorted(wrt))) for output, wrt in requests))
    sums = tuple(dict.fromkeys(contractions))
    asked = (*wanted, *((item.output, wrt) for item in sums for wrt, _ in item.weights))
    _check(function, asked)
    arguments = sorted({argument for _, wrt in asked for argument in wrt})
    pivots = {argument: _pivot(function, argument, asked) for argument in arguments}
    function = reshape(function, {output for output, _ in asked} | {pivot.name for pivot in pivots.values()})
    weights, forms = _forms(wanted, sums, pivots)
    chain = Chain((pivot.name for pivot in pivots.values()), forms)
    for name, expression in function.statements:
        chain.append(real_symbol(name), expression)
    results = {(output, wrt): _result(chain, output, wrt, pivots) for output, wrt in wanted}
    contracted = {item: chain.second(real_symbol(item.output), _sum_name(place)) for place, item in enumerate(sums)}
    statements = _needed((*weights, *chain.statements), (*results.values(), *contracted.values()))
    return Expansion(statements, results, contracted)


def _result(chain: Chain, output: str, wrt: Wrt, pivots: Mapping[str, _Pivot]) -> sp.Expr:
    """Where the chain has one of the requests."""
    value = real_symbol(output)
    names = [pivots[argument].name for argument in wrt]
    scale = sp.Mul(*(pivots[argument].slope for argument in wrt))
    if len(names) == 2:
        return scale * chain.second(value, _derivative_name(*names))
    return scale * chain.first(value, names[0]) if names else value


def _forms(
    wanted: Sequence[Request], sums: Sequence[Contraction], pivots: Mapping[str, _Pivot]
) -> tuple[list[Named], dict[str, Form]]:
    """What is to be carried along for second derivatives, by name, and the statements that compute its weights."""
    forms: dict[str, Form] = {}
    for _, wrt in wanted:
        if len(wrt) == 2:
            pair = sorted_pair(*(pivots[argument].name for argument in wrt))
            forms[_derivative_name(*pair)] = {pair: sp.Integer(_multiplicity(pair))}
    statements: list[Named] = []
    for place, item in enumerate(sums):
        weights: dict[Pair, sp.Expr] = {}
        for wrt, weight in item.weights:
            pair = sorted_pair(*(pivots[argument].name for argument in wrt))
            scale = sp.Mul(_multiplicity(pair), *(pivots[argument].slope for argument in wrt))
            weights[pair] = weights.get(pair, sp.Integer(0)) + weight * scale
        prefix = f"{item.output}.weight{place or ''}"
        named = {pair: "_".join((prefix, *map(short_name, pair))) for pair in weights}
        statements += [(named[pair], weight) for pair, weight in weights.items()]
        forms[_sum_name(place)] = {pair: real_symbol(name) for pair, name in named.items()}
    return statements, forms


def _multiplicity(pair: Pair) -> int:
    """How much more a form weighs products of gradients than second derivatives."""
    return 2 if pair[0] == pair[1] else 1


def _derivative_name(one: str, other: str) -> str:
    return "_".join(("d", *map(short_name, sorted_pair(one, other))))


def _sum_name(place: int) -> str:
    return f"contracted{place or ''}"


def _check(function: TransferFunction, wanted: Sequence[Request]) -> None:
    outputs = {name for name, _ in function.statements}
    arguments = {argument.name for argument in function.arguments}
    for output, wrt in wanted:
        if output not in outputs or not arguments.issuperset(wrt) or len(wrt) > 2:
            raise InternalError(f"transfer function {function.name} has no {output!r} by {wrt}")


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
    varying = {real_symbol(item.name) for item in function.arguments}
    varying |= {real_symbol(name) for name, _ in function.statements}
    outputs = {output for output, _ in wanted}
    others = {name for _, wrt in wanted for name in wrt} - {argument}
    reached = _reached(function, others)
    name, slope = argument, sp.Integer(1)
    while name not in outputs:
        users = [item for item in function.statements if real_symbol(name) in item[1].free_symbols]
        if len(users) != 1 or users[0][0] in reached:
            break
        user, expression = users[0]
        step = partial_derivative(expression, real_symbol(name))
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


def _needed(statements: Sequence[Named], results: Iterable[sp.Expr]) -> tuple[Named, ...]:
    """Statements that some result depends on, in their order."""
    live = {symbol.name for result in results for symbol in result.free_symbols}
    kept = []
    for name, expression in reversed(statements):
        if name in live:
            kept.append((name, expression))
            live |= {symbol.name for symbol in expression.free_symbols}
    return tuple(reversed(kept))
