"""How steeply power falls with frequency. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping

from ratemlx.metrics.arrays import Array, inner, ratio
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

RANGE_HZ = (0.1, 1000.0)
EVERY = 10
"""Every tenth bin is fitted."""


@metric(
    outputs=(
        Output("slope_PSD", "1", "Exponent a of the power law b / f^a fitted to the power spectrum"),
        Output("score_PSD", "1", "Share of the logarithm's variance that the power law explains (R^2)"),
        Output("intercept_PSD", "{x}^2", "Factor b of the power law: its power at 1 Hz"),
    ),
    needs_samples=4 * EVERY + 3,
    groups=TABLE_2,
    reference=PAPER,
)
def power_spectrum_slope(recording: Recording) -> Mapping[str, Array]:
    """Exponent, factor and score of a power law b / f^a fitted to the power spectrum.

    Least squares of log power against log frequency, over every tenth bin between 0.1 and 1000 Hz (and below
    Nyquist's frequency). Undefined where a fitted power is zero.
    """
    xp, f = recording.xp, recording.frequencies
    chosen = xp.flatnonzero((f > RANGE_HZ[0]) & (f < RANGE_HZ[1]))[::EVERY]
    power = xp.ascontiguousarray(recording.power[:, chosen])
    positive = (power > 0).all(axis=1)
    x = xp.log(f[chosen])
    y = xp.log(xp.where(positive[:, None], power, 1.0))
    dx, dy = x - x.mean(), y - y.mean(axis=1, keepdims=True)
    coefficient = inner(dx, dy) / inner(dx, dx)
    residual = xp.square(dy - coefficient[:, None] * dx).sum(axis=1)
    score = 1.0 - ratio(xp, residual, xp.square(dy).sum(axis=1))
    found = {
        "slope_PSD": -coefficient,
        "score_PSD": score,
        "intercept_PSD": xp.exp(y.mean(axis=1) - coefficient * x.mean()),
    }
    return {name: xp.where(positive, value, xp.nan) for name, value in found.items()}
