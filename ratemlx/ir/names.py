"""Names of the expression language: symbols, reserved words, and "did you mean".

Knows nothing of models: which names exist, and where they may be used, is `ratemlx.ir.scope`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import sympy as sp

BUILT_IN = ("dt", "n_node", "pi", "inf")


def symbol(name: str) -> sp.Symbol:
    """The real symbol of a quantity, the same object in every part of ratemlx."""
    return sp.Symbol(name, real=True)


def element(vector: str, index: int) -> str:
    """The name of one element of a vector: `P[3]`."""
    return f"{vector}[{index}]"


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A hint that names the most similar candidate, or None when none is similar."""
    known = sorted(set(candidates))
    folded = {item.casefold(): item for item in reversed(known)}
    if name.casefold() in folded:
        return f"did you mean '{folded[name.casefold()]}'?"
    match = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{match[0]}'?" if match else None
