"""Values of SymPy expressions in NumPy, by walking the tree: no source text is made or run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ratemlx.errors import InternalError

Array = NDArray[Any]


def compute(expression: sp.Basic, values: Mapping[str, Array], dtype: type[np.floating[Any]] = np.float64) -> Array:
    """The value of an expression whose symbols have the given values, in one precision throughout.

    Arrays broadcast as in NumPy; values must have the precision already.
    """
    if isinstance(expression, sp.Symbol):
        return values[expression.name]
    if expression.is_Number or expression.is_NumberSymbol:
        return np.asarray(float(expression), dtype=dtype)
    if isinstance(expression, sp.Piecewise):
        return _piecewise(expression, values, dtype)
    if expression in (sp.true, sp.false):
        return np.asarray(bool(expression))
    arguments = [compute(argument, values, dtype) for argument in expression.args]
    for kind, function in _FUNCTIONS:
        if isinstance(expression, kind):
            return np.asarray(function(*arguments))
    raise InternalError(f"no NumPy form for {type(expression).__name__}")


def _piecewise(expression: sp.Piecewise, values: Mapping[str, Array], dtype: type[np.floating[Any]]) -> Array:
    conditions = [compute(pair.cond, values, dtype) for pair in expression.args]
    branches = [compute(pair.expr, values, dtype) for pair in expression.args]
    shape = np.broadcast_shapes(*(item.shape for item in (*conditions, *branches)))
    spread = [np.broadcast_to(item, shape) for item in conditions]
    return np.select(spread, [np.broadcast_to(item, shape) for item in branches], default=dtype(np.nan))


def _power(base: Array, exponent: Array) -> Array:
    """A square root where it is one: NumPy's power is slower and less exact."""
    if exponent.shape == () and exponent == 0.5:
        return np.asarray(np.sqrt(base))
    return np.asarray(np.power(base, exponent))


def _folded(function: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    return lambda *arguments: reduce(function, arguments)


def _special(name: str) -> Callable[[Array], Array]:
    """erf or erfc: SciPy's where it is installed, else the standard library's, value by value."""

    def evaluate(argument: Array) -> Array:
        try:
            from scipy import special
        except ImportError:
            import math

            return np.asarray(np.vectorize(getattr(math, name), otypes=[argument.dtype.char])(argument))
        return np.asarray(getattr(special, name)(argument))

    return evaluate


_FUNCTIONS: tuple[tuple[type[sp.Basic], Callable[..., Array]], ...] = (
    (sp.Add, _folded(np.add)),
    (sp.Mul, _folded(np.multiply)),
    (sp.Pow, _power),
    (sp.exp, np.exp),
    (sp.log, np.log),
    (sp.sin, np.sin),
    (sp.cos, np.cos),
    (sp.tan, np.tan),
    (sp.sinh, np.sinh),
    (sp.cosh, np.cosh),
    (sp.tanh, np.tanh),
    (sp.Abs, np.abs),
    (sp.sign, np.sign),
    (sp.ceiling, np.ceil),
    (sp.floor, np.floor),
    (sp.Min, _folded(np.minimum)),
    (sp.Max, _folded(np.maximum)),
    (sp.Heaviside, lambda x, at_zero: np.heaviside(x, at_zero)),
    (sp.erf, _special("erf")),
    (sp.erfc, _special("erfc")),
    (sp.StrictLessThan, np.less),
    (sp.LessThan, np.less_equal),
    (sp.StrictGreaterThan, np.greater),
    (sp.GreaterThan, np.greater_equal),
    (sp.Equality, np.equal),
    (sp.Unequality, np.not_equal),
    (sp.And, _folded(np.logical_and)),
    (sp.Or, _folded(np.logical_or)),
    (sp.Not, np.logical_not),
)
