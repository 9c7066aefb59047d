"""Relative power in the bands of electroencephalography. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ratemlx.metrics.arrays import Array, inner, ratio
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording
from ratemlx.runtime.arrays import Floats

BANDS_HZ = {
    "delta": (0.5, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 12.0),
    "beta": (12.0, 30.0),
    "gamma": (30.0, 100.0),
}


@metric(
    outputs=tuple(
        Output(f"{band}_rel_power", "1", f"Share of the power from {low:g} to {high:g} Hz")
        for band, (low, high) in BANDS_HZ.items()
    ),
    needs_samples=8,
    groups=TABLE_2,
    reference=PAPER,
)
def relative_band_power(recording: Recording) -> Mapping[str, Array]:
    """Share of the power spectrum in the bands delta, theta, alpha, beta and gamma.

    The spectrum as in power_spectrum_peaks, integrated by Simpson's rule over the bins of a band, its limits
    included, and over all positive frequencies below Nyquist's. Undefined for a band with fewer than two bins, for one
    that reaches beyond the sampled frequencies, and where there is no power.
    """
    xp, power = recording.xp, recording.power
    f = recording.to_host(recording.frequencies)
    # Not a product of matrices, whose rounding depends on the number of instances.
    total = inner(power, recording.to_device(simpson_weights(len(f))))
    found = {}
    for band, (low, high) in BANDS_HZ.items():
        bins = np.flatnonzero((f >= low) & (f <= high))
        if len(bins) < 2 or high > recording.sampling_rate / 2:
            found[f"{band}_rel_power"] = xp.full(len(power), xp.nan)
            continue
        part = power[:, int(bins[0]) : int(bins[-1]) + 1]
        found[f"{band}_rel_power"] = ratio(xp, inner(part, recording.to_device(simpson_weights(len(bins)))), total)
    return found


def simpson_weights(n_points: int) -> Floats:
    """Weights of Simpson's rule for points a distance of 1 apart; as scipy.integrate.simpson.

    For an even number of points the last interval is that of the parabola through the last three points (Cartwright
    2017, J. Math. Sci. Math. Educ. 12:1).
    """
    if n_points == 2:
        return np.array([0.5, 0.5])
    odd = n_points - 1 + n_points % 2
    weights = np.zeros(n_points)
    weights[:odd] = 2 / 3
    weights[1:odd:2] = 4 / 3
    weights[[0, odd - 1]] = 1 / 3
    if odd < n_points:
        weights[-3:] += np.array([-1, 8, 5]) / 12
    return weights
