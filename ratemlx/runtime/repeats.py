"""Points of a sweep that are there more than once, which is allowed and seldom meant.

Knows sweeps only.
"""

from __future__ import annotations

import math

import numpy as np

from ratemlx.runtime.sweep import Sweep


def repeated_points(sweep: Sweep) -> tuple[str, ...]:
    """A remark when points repeat others: noise belongs to a point's values, so that repeats are no new samples."""
    repeats = sweep.n_instances - _distinct(sweep)
    if not repeats:
        return ()
    points = "1 point repeats" if repeats == 1 else f"{repeats:,} points repeat"
    return (f"{points} an earlier one; equal points get equal noise, and other noise needs another seed",)


def _distinct(sweep: Sweep) -> int:
    if sweep.kind == "grid":
        return math.prod(len(np.unique(axis.values)) for axis in sweep.axes)
    return len(np.unique(np.stack([axis.values for axis in sweep.axes], axis=-1), axis=0))
