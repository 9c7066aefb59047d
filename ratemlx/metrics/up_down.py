"""Up and down states: how long regions stay active and silent. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

RATIO = 0.3
"""Share of a trace's maximum above which a region is up, and…"""
FLOOR_HZ = 0.2
"""… what is added to it, so that fluctuations about zero are not up states."""
SHORTEST_MS = 20.0
"""States shorter than this are merged into the one before."""


@metric(
    outputs=(
        Output("mean_up_ms", "ms", "Mean duration of up states"),
        Output("mean_down_ms", "ms", "Mean duration of down states"),
    ),
    needs_ms=40.0,
    needs_samples=4,
    needs_rate=True,
    groups=TABLE_2,
    reference=f"{PAPER}; after Renart et al. 2010, Science 327:587",
)
def up_down_durations(recording: Recording) -> Mapping[str, Array]:
    """Mean durations of up and down states, averaged over regions.

    A region is up where its trace, smoothed by a Gaussian of 10 ms (zero outside the recording), exceeds 0.3 of its
    own maximum plus 0.2 Hz. States shorter than 20 ms are merged into the one before, a first one into the state at
    the recording's end. A state lasts from its first to its last sample, the last state one sample longer. A region
    without up (down) states counts with a duration of 0.
    """
    xp, smoothed = recording.xp, recording.smoothed
    threshold = RATIO * smoothed.max(axis=-1, keepdims=True) + FLOOR_HZ
    up = (smoothed > threshold).reshape(-1, recording.n_samples)
    durations = _mean_durations(xp, up, SHORTEST_MS / recording.period)
    shape = (recording.n_instances, recording.n_regions)
    means = [duration.reshape(shape).mean(axis=1) * recording.period for duration in durations]
    return {"mean_up_ms": means[0], "mean_down_ms": means[1]}


def _mean_durations(xp: Any, up: Array, shortest: float) -> tuple[Array, Array]:
    """Mean lengths in samples of the up and of the down states in each row of (series, time)."""
    n_series, n_samples = up.shape
    changes = xp.ones(up.shape, dtype=bool)
    changes[:, 1:] = up[:, 1:] != up[:, :-1]
    start = xp.flatnonzero(changes)
    end = xp.concatenate([start[1:], xp.full(1, up.size)])
    series, first, last = start // n_samples, start % n_samples == 0, end % n_samples == 0
    state = _merged(xp, up, start, end - start - first + last < shortest)
    # The last state counts one sample more.
    length = end - start + last
    begins = first.copy()
    begins[1:] |= state[1:] != state[:-1]

    def mean(chosen: Array) -> Array:
        states = xp.bincount(series, weights=(begins & chosen).astype(xp.float64), minlength=n_series)
        samples = xp.bincount(series, weights=(length * chosen).astype(xp.float64), minlength=n_series)
        return xp.where(states > 0, samples / xp.where(states > 0, states, 1.0) - 1.0, 0.0)

    return mean(state), mean(~state)


def _merged(xp: Any, up: Array, start: Array, short: Array) -> Array:
    """States of the stretches that begin at `start`, short ones taking that of the one before."""
    n_samples = up.shape[1]
    first = start % n_samples == 0
    state = xp.where(first & short, up[start // n_samples, -1], up.reshape(-1)[start])
    kept = first | ~short
    return state[kept][xp.cumsum(kept) - 1]
