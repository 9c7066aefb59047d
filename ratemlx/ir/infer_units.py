"""The unit of an expression, worked out on our tree, with a message wherever units do not fit.

None stands for "fits any unit": a literal 0, `inf`, or what was faulty already. Other bare numbers are pure numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from ratemlx.ir.fold import constant_value
from ratemlx.ir.functions import FUNCTIONS
from ratemlx.ir.names import element
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
    children,
)
from ratemlx.ir.units import ONE, Unit
from ratemlx.source import Span
from ratemlx.transfer.base import Result

Units = Mapping[str, Unit | None]
Report = Callable[[str, Span | None, str | None], None]
HALF = Fraction(1, 2)


class Inference:
    """Works out units of expressions, given those of names; faults go to `report` (message, place, hint).

    Transfer results are looked up under the names that `Result` gives them, derivatives by those of their arguments.
    """

    def __init__(self, units: Units, arguments: Mapping[str, Units], report: Report) -> None:
        self.units = units
        self.arguments = arguments
        self.report = report

    def infer(self, node: Node) -> Unit | None:
        """The unit of an expression."""
        if isinstance(node, Number):
            return ONE if node.value else None
        if isinstance(node, Name):
            return self.units.get(node.name)
        if isinstance(node, Item):
            return self.units.get(element(node.name, node.index))
        if isinstance(node, Output):
            return self.units.get(str(Result(node.use, node.output)))
        if isinstance(node, Derivative):
            return self._derivative(node)
        if isinstance(node, Product):
            return self._product(node)
        if isinstance(node, Power):
            return self._power(node)
        if isinstance(node, Call):
            return self._call(node)
        found = [(child, self.infer(child)) for child in children(node)]
        if isinstance(node, Logical | Not):
            return ONE
        common = self._same(found, "compares" if isinstance(node, Comparison) else "adds")
        return common if isinstance(node, Negation | Sum) else ONE

    def require(self, node: Node, expected: Unit | None, what: str) -> None:
        """Report an expression whose unit is not the expected one; `what` says what it is."""
        unit = self.infer(node)
        if unit is not None and expected is not None and unit != expected:
            message = f"{what} should be {_described(expected)}, but this is {_described(unit)}"
            self.report(message, node.span, scaling(unit, expected))

    def _same(self, found: Iterable[tuple[Node, Unit | None]], verb: str) -> Unit | None:
        """The unit that all share."""
        common: Unit | None = None
        fits = True
        for node, unit in found:
            if common is None:
                common = unit
            elif unit is not None and unit != common:
                message = f"this {verb} {name_unit(unit)} {_WITH[verb]} {name_unit(common)}"
                self.report(message, node.span, scaling(unit, common))
                fits = False
        return common if fits else None

    def _derivative(self, node: Derivative) -> Unit | None:
        unit = self.units.get(node.use.name)
        for item in node.wrt:
            by = self.arguments.get(node.use.name, {}).get(item.name)
            if unit is None or by is None:
                return None
            unit = unit / by
        return unit

    def _product(self, node: Product) -> Unit | None:
        unit = ONE
        found_units = [self.infer(factor) for _, factor in node.factors]
        for (sign, _), found in zip(node.factors, found_units, strict=True):
            if found is None:
                return None
            unit = unit * found if sign == "*" else unit / found
        return unit

    def _power(self, node: Power) -> Unit | None:
        base, power = self.infer(node.base), self.infer(node.exponent)
        if power is not None and power != ONE:
            message = f"an exponent should be a pure number, but this is {_described(power)}"
            self.report(message, node.exponent.span, scaling(power, ONE))
            return None
        if base is None or base.dimensionless:
            return base
        exponent = constant_value(node.exponent)
        if exponent is None:
            self.report(f"this raises {base} to a power that is not a number", node.exponent.span, None)
            return None
        return base ** Fraction(exponent).limit_denominator(1000)

    def _call(self, node: Call) -> Unit | None:
        rule = FUNCTIONS[node.function].units
        if rule == "dimensionless":
            for argument in node.arguments:
                self.require(argument, ONE, f"the argument of {node.function}")
            return ONE
        found = [(argument, self.infer(argument)) for argument in node.arguments]
        if rule == "sign":
            return ONE
        unit = self._same(found[1:] if rule == "select" else found, "combines")
        return unit**HALF if rule == "root" and unit else unit


_WITH = {"adds": "to", "compares": "to", "combines": "with"}


def name_unit(unit: Unit) -> str:
    """The unit as messages call it."""
    return "a pure number" if unit == ONE else str(unit)


def _described(unit: Unit) -> str:
    return "a pure number" if unit == ONE else f"in {unit}"


def scaling(unit: Unit, expected: Unit) -> str | None:
    """A hint where only the power of ten differs."""
    exponent = unit.ratio(expected)
    if exponent is None:
        return None
    factor = f"1e{exponent}" if exponent.denominator == 1 else f"10^{float(exponent):g}"
    return f"multiply {unit} by {factor} to get {name_unit(expected)}"
