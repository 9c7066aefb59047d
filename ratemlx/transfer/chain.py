"""Statements with their derivatives, one after the other: second-order forward mode over directions.

A value that depends on a single other value, its *direction*, moves as that one does: y = y0 + a d + b d^2, and the
numbers a and b are all that has to be known of it. Only a value that several directions meet in has derivatives by the
pivots, and is a direction of its own from there on.

Second derivatives are asked for as *forms*: sums of second derivatives with weights, which a single number per
direction carries along, however many derivatives are in the sum. For y of directions d, e, ...

    form(y) = sum over d of (dy/dd) form(d) + sum over d <= e of (half the second derivative) product(d, e)

with product(d, e) the gradients of d and e multiplied through the weights. One second derivative on its own is a form
with one weight. Knows SymPy and partial derivatives of single statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from ratemlx.transfer.partials import Reach, in_own_value, partial, real_symbol, short_name

Named = tuple[str, sp.Expr]
Pair = tuple[str, str]
Form = Mapping[Pair, sp.Expr]
"""Weights of products of gradients, by sorted pairs of pivots: twice that of a second derivative by one pivot twice."""
Directions = tuple[sp.Symbol, sp.Symbol]


@dataclass(frozen=True)
class Jet:
    """How a value moves with its direction: its derivative, and half the second one."""

    direction: sp.Symbol
    slope: sp.Expr
    bend: sp.Expr


class Chain:
    """The statements written so far, and what is known of their derivatives by the pivots."""

    def __init__(self, pivots: Iterable[str], forms: Mapping[str, Form]) -> None:
        self.pivots = tuple(dict.fromkeys(pivots))
        self.forms = forms
        self.statements: list[Named] = []
        self._jets: dict[sp.Symbol, Jet] = {}
        self._gradients: dict[sp.Symbol, dict[str, sp.Expr]] = {}
        self._carried: dict[tuple[sp.Symbol, str], sp.Expr] = {}
        self._weighted: dict[tuple[str, sp.Symbol, str], sp.Expr] = {}
        self._products: dict[tuple[str, Directions], sp.Expr] = {}
        self._alias: dict[sp.Symbol, tuple[sp.Symbol, sp.Expr]] = {}
        for pivot in map(real_symbol, self.pivots):
            self._own_direction(pivot, {name: sp.Integer(int(name == pivot.name)) for name in self.pivots})
            self._carried |= {(pivot, form): sp.Integer(0) for form in forms}

    def first(self, value: sp.Symbol, pivot: str) -> sp.Expr:
        """The derivative of a statement by a pivot."""
        base, factor = self._alias.get(value, (value, sp.Integer(1)))
        if base not in self._jets:
            return sp.Integer(0)
        jet = self._jets[base]
        return factor * jet.slope * self._gradients[jet.direction][pivot]

    def second(self, value: sp.Symbol, form: str) -> sp.Expr:
        """A weighted sum of second derivatives of a statement, by the name of the form."""
        base, factor = self._alias.get(value, (value, sp.Integer(1)))
        if base not in self._jets:
            return sp.Integer(0)
        jet = self._jets[base]
        terms = [(jet.slope, self._carried[jet.direction, form])]
        if jet.bend != 0:
            terms.append((jet.bend, self._product(form, (jet.direction, jet.direction))))
        return factor * _sum_of_products(terms)

    def append(self, value: sp.Symbol, expression: sp.Expr) -> None:
        """Add a statement and those for its derivatives."""
        self.statements.append((value.name, expression))
        if value.name in self.pivots:
            return
        inputs = self._inputs(expression)
        bases = list(dict.fromkeys(base for _, base, _ in inputs))
        if not bases:
            return
        partials = {base: in_own_value(partial(expression, inputs, base), expression, value) for base in bases}
        if len(bases) == 1 and not self._varies(partials[bases[0]], value):
            self._alias[value] = (bases[0], partials[bases[0]])
            return
        named = {base: self._name(f"{value.name}.by_{_short(base)}", item) for base, item in partials.items()}
        slopes = self._slopes(value, named)
        bends = self._bends(value, expression, inputs, named) if self.forms else {}
        if len(slopes) == 1:
            ((direction, slope),) = slopes.items()
            bend = self._name(f"{value.name}.second", bends.get((direction, direction), sp.Integer(0)))
            self._jets[value] = Jet(direction, slope, bend)
        else:
            self._meet(value, slopes, bends)

    def _inputs(self, expression: sp.Expr) -> list[Reach]:
        """Direct inputs that vary with a pivot: the symbol, the one it is affine in, and the slope."""
        found = []
        for name in sorted(expression.free_symbols, key=lambda item: str(item.name)):
            base, slope = self._alias.get(name, (name, sp.Integer(1)))
            if base in self._jets:
                found.append((name, base, slope))
        return found

    def _varies(self, expression: sp.Expr, value: sp.Symbol) -> bool:
        known = self._jets.keys() | self._alias.keys() | {value}
        return bool(expression.free_symbols & known)

    def _slopes(self, value: sp.Symbol, partials: Mapping[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
        """Derivatives by directions."""
        terms: dict[sp.Symbol, list[tuple[sp.Expr, sp.Expr]]] = {}
        for base, item in partials.items():
            jet = self._jets[base]
            terms.setdefault(jet.direction, []).append((item, jet.slope))
        return {
            direction: self._name(f"{value.name}.along_{_short(direction)}", _sum_of_products(its))
            for direction, its in terms.items()
        }

    def _bends(
        self,
        value: sp.Symbol,
        expression: sp.Expr,
        inputs: Sequence[Reach],
        partials: Mapping[sp.Symbol, sp.Expr],
    ) -> dict[Directions, sp.Expr]:
        """Half the second derivatives by pairs of directions; those by two different ones whole, as they come twice."""
        terms: dict[Directions, list[tuple[sp.Expr, sp.Expr]]] = {}
        for base, item in partials.items():
            jet = self._jets[base]
            if jet.bend != 0:
                terms.setdefault((jet.direction, jet.direction), []).append((item, jet.bend))
        bases = list(partials)
        for place, one in enumerate(bases):
            slope = partial(expression, inputs, one)
            for other in bases[place:]:
                rate = in_own_value(partial(slope, inputs, other), expression, value)
                jet, its = self._jets[one], self._jets[other]
                pair = self._in_order(jet.direction, its.direction)
                half = rate / 2 if one == other else rate
                terms.setdefault(pair, []).append((half, jet.slope * its.slope))
        sums = {pair: _sum_of_products(its) for pair, its in terms.items()}
        return {pair: total for pair, total in sums.items() if total != 0}

    def _meet(self, value: sp.Symbol, slopes: Mapping[sp.Symbol, sp.Expr], bends: Mapping[Directions, sp.Expr]) -> None:
        """Make a value that several directions meet in a direction of its own."""
        gradient = {}
        for pivot in self.pivots:
            total = _sum_of_products((slope, self._gradients[item][pivot]) for item, slope in slopes.items())
            gradient[pivot] = self._name(f"{value.name}.d_{short_name(pivot)}", total)
        if len(self.forms) > 1:
            bends = {
                (one, other): self._name(f"{value.name}.second_{_short(one)}_{_short(other)}", item)
                for (one, other), item in bends.items()
            }
        for form in self.forms:
            terms = [(slope, self._carried[item, form]) for item, slope in slopes.items()]
            terms += [(item, self._product(form, pair)) for pair, item in bends.items()]
            self._carried[value, form] = self._name(f"{value.name}.{form}", _sum_of_products(terms))
        self._own_direction(value, gradient)

    def _own_direction(self, value: sp.Symbol, gradient: dict[str, sp.Expr]) -> None:
        self._jets[value] = Jet(value, sp.Integer(1), sp.Integer(0))
        self._gradients[value] = gradient

    def _product(self, form: str, pair: Directions) -> sp.Expr:
        """The gradients of two directions multiplied through the weights of a form."""
        key = (form, pair)
        if key not in self._products:
            weighted, plain = self._cheaper(form, pair)
            gradient = {pivot: item for pivot, item in self._gradients[plain].items() if item != 0}
            total = _sum_of_products((item, self._weigh(form, weighted, pivot)) for pivot, item in gradient.items())
            self._products[key] = self._name(f"{weighted.name}.{form}_with_{_short(plain)}", total)
        return self._products[key]

    def _cheaper(self, form: str, pair: Directions) -> Directions:
        """Which of two gradients to weigh, then the other: the one that is weighed already, else the later one.

        The earlier one is then needed for less long, and weighing that of a pivot would gain nothing.
        """
        one, other = pair
        there = [sum((form, item, pivot) in self._weighted for pivot in self.pivots) for item in pair]
        return pair if there[0] > there[1] and one.name not in self.pivots else (other, one)

    def _in_order(self, one: sp.Symbol, other: sp.Symbol) -> Directions:
        """Two directions as they came."""
        places = list(self._gradients)
        return (one, other) if places.index(one) <= places.index(other) else (other, one)

    def _weigh(self, form: str, direction: sp.Symbol, pivot: str) -> sp.Expr:
        """One component of a gradient multiplied by the weights of a form."""
        key = (form, direction, pivot)
        if key not in self._weighted:
            weights = self.forms[form]
            gradient = self._gradients[direction].items()
            terms = [(weights.get(sorted_pair(pivot, name), sp.Integer(0)), item) for name, item in gradient]
            self._weighted[key] = self._name(f"{direction.name}.{form}_by_{short_name(pivot)}", _sum_of_products(terms))
        return self._weighted[key]

    def _name(self, name: str, expression: sp.Expr) -> sp.Expr:
        """A statement of its own, unless the expression is as short as its name."""
        if expression.is_Number or expression.is_Symbol or (-expression).is_Symbol:
            return expression
        self.statements.append((name, expression))
        return real_symbol(name)


def sorted_pair(one: str, other: str) -> Pair:
    """Two names in the order in which forms have them."""
    return (one, other) if one <= other else (other, one)


def _sum_of_products(pairs: Iterable[tuple[sp.Expr, sp.Expr]]) -> sp.Expr:
    """The sum of first times second, with equal first factors taken out."""
    groups: dict[sp.Expr, list[sp.Expr]] = {}
    for factor, value in pairs:
        if factor == 0 or value == 0:
            continue
        if -factor in groups:
            groups[-factor].append(-value)
        else:
            groups.setdefault(factor, []).append(value)
    return sp.Add(*(factor * sp.Add(*values) for factor, values in groups.items()))


def _short(symbol: sp.Symbol) -> str:
    return short_name(str(symbol.name))
