"""A transfer function with kinks, steps and cases, for tests of differentiation."""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer import transfer_function
from ratemlx.transfer.base import Argument
from ratemlx.transfer.decorator import Let


@transfer_function(arguments=(Argument("x"), Argument("y")), coefficients=(), outputs={"F": ""})
def kinked(let: Let, x: sp.Symbol, y: sp.Symbol) -> None:
    """Rectified, stepped and by cases."""
    rectified = let("rectified", sp.Max(x, 0) ** 2 + sp.Min(x, y, 1) + sp.Abs(y) ** 3)
    cases = let("cases", sp.Piecewise((rectified * x, sp.And(x > 0, y < 1)), (rectified - y, True)))
    let("F", sp.exp(-cases) + sp.floor(3 * x) * y + cases**2)
