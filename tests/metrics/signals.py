"""Signals with known answers."""

from __future__ import annotations

import numpy as np

from ratemlx.metrics import Evaluation, Recording, evaluate, select
from ratemlx.runtime.arrays import AnyArray, Floats


def times(n_samples: int = 4000, period: float = 1.0) -> Floats:
    """Times of samples in s."""
    result: Floats = np.arange(n_samples) * period * 1e-3
    return result


def recording(*traces: AnyArray, unit: str = "Hz", period: float = 1.0, **more: object) -> Recording:
    """A recording of one instance with these traces, one for each region."""
    return Recording(np.stack(traces, axis=-1)[None], period, unit, **more)  # type: ignore[arg-type]


def value(output: str, made: Recording) -> Floats:
    """One output of all instances."""
    found: Evaluation = evaluate(select([output]), {"E": made})
    return {**found.columns, **found.regional}[f"{output}_E"]
