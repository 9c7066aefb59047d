"""Distances between distributions. Knows arrays only."""

from __future__ import annotations

from typing import Any

from ratemlx.metrics.arrays import Array


def kolmogorov_smirnov(xp: Any, samples: Array, reference: Array) -> Array:
    """Largest difference (instance,) of the cumulative distributions of samples (instance, value) and of a reference.

    The two-sample statistic of Kolmogorov and Smirnov, as scipy.stats.ks_2samp's.
    """
    known = xp.sort(reference.reshape(-1))
    found = []
    for row in xp.sort(samples, axis=1):
        both = xp.concatenate([row, known])
        shares = [xp.searchsorted(part, both, side="right") / part.size for part in (row, known)]
        found.append(xp.abs(shares[0] - shares[1]).max())
    return xp.stack(found)
