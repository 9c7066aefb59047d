"""Names of the expression language: symbols, and what is built in.

Knows nothing of models: which names exist, and where they may be used, is `ratemlx.ir.scope`.
"""

from __future__ import annotations

import sympy as sp

from ratemlx.lems.quoting import did_you_mean

__all__ = ["BUILT_IN", "did_you_mean", "element", "symbol"]

BUILT_IN = ("dt", "n_node", "pi", "inf")


def symbol(name: str) -> sp.Symbol:
    """The real symbol of a quantity, the same object in every part of ratemlx."""
    return sp.Symbol(name, real=True)


def element(vector: str, index: int) -> str:
    """The name of one element of a vector: `P[3]`."""
    return f"{vector}[{index}]"
