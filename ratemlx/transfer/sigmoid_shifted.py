"""A sigmoid that passes through the origin: amplitude * (S(x) - S(0)), S(x) = 1 / (1 + exp(-slope (x - midpoint))).

Wilson and Cowan shift their sigmoid so that a population without input stays at rest.
"""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer.base import Argument, Coefficient
from ratemlx.transfer.decorator import Let, transfer_function


@transfer_function(
    arguments=(Argument("x", description="Input, in the unit of the midpoint"),),
    coefficients=(
        Coefficient("amplitude", default=1.0, description="Distance between the limits of the value"),
        Coefficient("midpoint", default=0.0, description="Input where the value is steepest"),
        Coefficient("slope", default=1.0, description="Steepness, per unit of the input"),
    ),
    outputs={"F": ""},
    reference="Wilson and Cowan 1972, Biophys. J. 12:1, Eq. 15",
)
def sigmoid_shifted(let: Let, x: sp.Symbol, amplitude: sp.Symbol, midpoint: sp.Symbol, slope: sp.Symbol) -> None:
    """Sigmoid of one input that is 0 where the input is 0."""
    bend = let("bend", sp.tanh(slope * (x - midpoint) / 2))
    rest = let("rest", sp.tanh(slope * midpoint / 2))
    let("F", amplitude * (bend + rest) / 2)
