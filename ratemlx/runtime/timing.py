"""Time in whole steps: how many steps a sample has, and how many samples a run.

Knows nothing of models or devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ratemlx.errors import SweepError

MAX_STEPS = 2**31 - 64
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Timing:
    """Steps of `dt` ms; a sample is the mean over `steps_per_sample` of them; a run has `n_samples`."""

    dt: float
    steps_per_sample: int
    n_samples: int

    @property
    def n_steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_sample * self.n_samples

    @property
    def period(self) -> float:
        """Length of a sample, ms."""
        return self.dt * self.steps_per_sample

    @property
    def duration(self) -> float:
        """Length of the run, ms."""
        return self.dt * self.n_steps


def timing(dt: float, period: float, duration: float) -> Timing:
    """Whole steps from times in ms; raises SweepError when `period` is not a multiple of `dt`, or `duration` of it."""
    for name, value in (("dt", dt), ("period", period), ("duration", duration)):
        if not (math.isfinite(value) and value > 0):
            raise SweepError(f"{name} must be above zero; it is {value:g} ms")
    result = Timing(dt, _whole("period", period, "dt", dt), _whole("duration", duration, "period", period))
    if result.n_steps > MAX_STEPS:
        raise SweepError(f"the run has {result.n_steps:,} steps, more than the {MAX_STEPS:,} supported")
    return result


def _whole(name: str, whole: float, unit_name: str, unit: float) -> int:
    if not whole / unit <= MAX_STEPS:
        raise SweepError(
            f"{name} ({whole:g} ms) is more than {MAX_STEPS:,} times {unit_name} ({unit:g} ms)", "times are in ms"
        )
    count = round(whole / unit)
    if count < 1 or abs(count * unit - whole) > TOLERANCE * unit:
        near = max(1, count) * unit
        raise SweepError(
            f"{name} ({whole:g} ms) must be a multiple of {unit_name} ({unit:g} ms)", f"the nearest is {near:g} ms"
        )
    return count
