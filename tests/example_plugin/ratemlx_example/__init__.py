"""A smooth threshold-linear transfer function."""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer import Argument, Coefficient, transfer_function
from ratemlx.transfer.decorator import Let


@transfer_function(
    arguments=[Argument("x", "pA", "Input current")],
    coefficients=[
        Coefficient("gain", "kHz/pA", description="Slope far above threshold"),
        Coefficient("theta", "pA", 0.0, description="Threshold"),
        Coefficient("width", "pA", 1.0, description="Width of the transition"),
    ],
    outputs={"F": "kHz"},
)
def threshold_linear(let: Let, x: sp.Symbol, gain: sp.Symbol, theta: sp.Symbol, width: sp.Symbol) -> None:
    """Threshold-linear rate with a smooth transition."""
    above = let("above", (x - theta) / width)
    let("F", gain * width * (above + sp.sqrt(above**2 + 4)) / 2)
