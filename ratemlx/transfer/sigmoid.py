"""A sigmoid: amplitude / (1 + exp(-slope * (x - midpoint))).

Wilson and Cowan's 1 / (1 + exp(-a (x - theta))) is amplitude 1, slope a, midpoint theta. Jansen and Rit's
2 e0 / (1 + exp(r (v0 - v))) is amplitude 2 e0, slope r, midpoint v0.
"""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer.base import Argument, Coefficient
from ratemlx.transfer.decorator import Let, transfer_function


@transfer_function(
    arguments=(Argument("x", description="Input, in the unit of the midpoint"),),
    coefficients=(
        Coefficient("amplitude", default=1.0, description="Upper limit of the value"),
        Coefficient("midpoint", default=0.0, description="Input at half the amplitude"),
        Coefficient("slope", default=1.0, description="Steepness, per unit of the input"),
    ),
    outputs={"F": ""},
    reference="Wilson and Cowan 1972, Biophys. J. 12:1; Jansen and Rit 1995, Biol. Cybern. 73:357",
)
def sigmoid(let: Let, x: sp.Symbol, amplitude: sp.Symbol, midpoint: sp.Symbol, slope: sp.Symbol) -> None:
    """Sigmoid of one input."""
    # By tanh, which overflows nowhere; exp(-slope * (x - midpoint)) would, and inf * 0 makes its derivatives NaN.
    bend = let("bend", sp.tanh(slope * (x - midpoint) / 2))
    let("F", amplitude * (1 + bend) / 2)
