"""Units of a transfer function's outputs where it leaves them open: worked out through its statements.

A general form such as a sigmoid states no units; they follow from what a model binds to it. None fits any unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import sympy as sp

from ratemlx.ir.infer_units import name_unit
from ratemlx.ir.units import ONE, Unit
from ratemlx.transfer.base import TransferFunction

_SAME = (sp.Add, sp.Max, sp.Min, sp.Abs, sp.floor, sp.ceiling)


def infer_outputs(
    function: TransferFunction, inputs: Mapping[str, Unit | None], report: Callable[[str], None]
) -> dict[str, Unit | None]:
    """Units of all statements by name, given those of arguments and coefficients; faults go to `report`."""
    units = dict(inputs)
    for name, expression in function.statements:
        place = f"with these units, '{name}' of the transfer function '{function.name}'"
        units[name] = _Walk(units, place, report).infer(expression)
    return units


class _Walk:
    """Works out the unit of one SymPy expression."""

    def __init__(self, units: Mapping[str, Unit | None], place: str, report: Callable[[str], None]) -> None:
        self.units = units
        self.report: Callable[[str], None] = lambda what: report(f"{place} {what}")

    def infer(self, expression: sp.Basic) -> Unit | None:
        if isinstance(expression, sp.Symbol):
            return self.units.get(expression.name)
        if expression.is_number:
            return None if expression.is_zero else ONE
        if isinstance(expression, sp.Mul):
            return self._product(expression.args)
        if isinstance(expression, sp.Pow):
            return self._power(*expression.args)
        if isinstance(expression, sp.Piecewise):
            for pair in expression.args:
                self.infer(pair.cond)
            return self._common(pair.expr for pair in expression.args)
        if isinstance(expression, _SAME):
            return self._common(expression.args)
        if isinstance(expression, sp.Rel):
            self._common(expression.args)
        elif isinstance(expression, sp.Function):
            for argument in expression.args:
                self._require_number(argument, expression.func.__name__)
        return ONE

    def _product(self, factors: Iterable[sp.Basic]) -> Unit | None:
        found = [self.infer(factor) for factor in factors]
        unit = ONE
        for item in found:
            if item is None:
                return None
            unit = unit * item
        return unit

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Unit | None:
        unit = self.infer(base)
        self._require_number(exponent, "a power")
        if unit is None or unit.dimensionless:
            return unit
        if not exponent.is_Rational:
            self.report(f"raises {unit} to a power that is not a number")
            return None
        return unit ** Fraction(int(exponent.p), int(exponent.q))

    def _common(self, parts: Iterable[sp.Basic]) -> Unit | None:
        known = sorted((unit for unit in map(self.infer, parts) if unit is not None), key=str)
        for unit in known[1:]:
            if unit != known[0]:
                self.report(f"combines {name_unit(known[0])} with {name_unit(unit)}")
                return None
        return known[0] if known else None

    def _require_number(self, argument: sp.Basic, where: str) -> None:
        unit = self.infer(argument)
        if unit is not None and unit != ONE:
            self.report(f"has {unit} in {where}")
