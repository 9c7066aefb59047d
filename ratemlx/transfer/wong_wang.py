"""The input-output function of Wong and Wang: u / (1 - exp(-d u)) with u = a x - b.

At u = 0 the formula is 0 / 0 although the function is smooth. Within |d u| < 1 a series stands in for it, so that the
value and two derivatives are accurate in float32 and float64 alike; elsewhere the formula is written with
exp(-|d u|), which cannot overflow.
"""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer.base import Argument, Coefficient
from ratemlx.transfer.decorator import Let, transfer_function

TERMS = 12


def _series(square: sp.Expr) -> sp.Expr:
    """The even part of y / (1 - exp(-y)) in powers of y^2, as a Horner scheme; the odd part is y / 2.

    Its terms are B(2 k) / (2 k)! y^(2 k) with Bernoulli numbers B, about 2 (y / 2 pi)^(2 k): below 2e-19 after 12.
    """
    total: sp.Expr = sp.Integer(0)
    for power in reversed(range(TERMS)):
        total = total * square + sp.bernoulli(2 * power) / sp.factorial(2 * power)
    return total


@transfer_function(
    arguments=(Argument("x", description="Synaptic input current, e.g. in nA"),),
    coefficients=(
        Coefficient("a", default=310.0, description="Gain, e.g. in 1/nC"),
        Coefficient("b", default=125.0, description="Shift, e.g. in Hz"),
        Coefficient("d", default=0.16, description="Curvature, e.g. in s"),
    ),
    outputs={"F": ""},
    reference="Wong and Wang 2006, J. Neurosci. 26:1314; Deco et al. 2014, J. Neurosci. 34:7886",
)
def wong_wang(let: Let, x: sp.Symbol, a: sp.Symbol, b: sp.Symbol, d: sp.Symbol) -> None:
    """Firing rate of a population from its input current."""
    y = let("y", d * (a * x - b))
    # Each branch gets an argument that is harmless where the other one holds: nothing overflows or divides by zero,
    # and the chain rule never multiplies 0 by infinity.
    inside = let("inside", sp.Piecewise((0, y >= 1), (0, y <= -1), (y, True)))
    distance = let("distance", sp.Piecewise((y, y >= 1), (-y, y <= -1), (1, True)))
    square = let("square", inside**2)
    near = let("near", inside / 2 + _series(square))
    decay = let("decay", sp.exp(-distance))
    far = let("far", distance * decay / (1 - decay))
    let("F", sp.Piecewise((far + y, y >= 1), (far, y <= -1), (near, True)) / d)
