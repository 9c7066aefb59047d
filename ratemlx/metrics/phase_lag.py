"""Phase lag: how consistently the phase of one region is ahead of another's. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

BLOCK = 1000
"""Samples compared at a time: a multiple of 8, at most 8 x 127 so that sums of bytes up to 2 fit a byte."""


@metric(
    outputs=(Output("mean_PLI", "1", "Mean phase lag index of pairs of regions"),),
    needs_samples=2,
    groups=TABLE_2,
    reference=PAPER,
)
def mean_phase_lag_index(recording: Recording) -> Mapping[str, Array]:
    """Mean of the matrix of phase lag indices |<sign(phase_i - phase_j)>| with its diagonal counted as zero.

    Phases are the angles, from -pi to pi, of the analytic signals (Hilbert) of the traces with their means; their
    difference is not wrapped. Pairs with a constant region count 0; undefined where fewer than two regions fluctuate.
    """
    xp = recording.xp
    index = xp.abs(_sums_of_signs(recording)) / recording.n_samples
    fluctuates = recording.fluctuates
    index = index * (fluctuates[:, :, None] & fluctuates[:, None, :])
    defined = fluctuates.sum(axis=1) >= 2
    return {"mean_PLI": xp.where(defined, 2 * index.mean(axis=(1, 2)), xp.nan)}


def _turn(recording: Recording) -> Array:
    """(instance, region, time): a number from -2 to 2 that orders like the angle of the analytic signal.

    It is y / (|x| + |y|) in the right half plane, and grows on through the left one; cheaper than an arcus tangent.
    """
    xp, x, y = recording.xp, recording.traces, recording.hilbert
    length = xp.abs(x) + xp.abs(y)
    turn = y / xp.where(length > 0, length, 1.0)
    return xp.where(x < 0, xp.copysign(2.0 - xp.abs(turn), y), turn)


def _sums_of_signs(recording: Recording) -> Array:
    """(instance, region, region), above the diagonal: samples at which the phase is ahead, less those behind."""
    xp, turn = recording.xp, _turn(recording)
    instances, regions, samples = turn.shape
    ordered = xp.sort(turn, axis=1)
    tied = bool(recording.to_host((ordered[:, 1:] == ordered[:, :-1]).any()))
    ahead = xp.zeros((instances, regions, regions), dtype=xp.int64)
    for first in range(0, samples, BLOCK):
        part = turn[..., first : first + BLOCK]
        if part.shape[-1] % 8:
            # Zeros tie with each other: they are ahead of none.
            padding = xp.zeros((instances, regions, -part.shape[-1] % 8))
            part = xp.concatenate([part, padding], axis=-1)
        _count(xp, part, tied, ahead)
    if tied:
        return xp.triu(ahead - samples - _padded(samples), 1)
    return xp.triu(2 * ahead - samples, 1)


def _padded(samples: int) -> int:
    """Number of zeros that make the last block a multiple of 8 long; as ties, each counts once."""
    return -samples % 8


def _count(xp: Any, part: Array, tied: bool, ahead: Array) -> None:
    """Add how often each region is ahead of those after it; where phases tie, twice that plus once for each tie.

    Comparisons are bytes of 0 or 1, added eight at a time.
    """
    instances, regions, samples = part.shape
    larger = xp.empty((instances, regions, samples), dtype=bool)
    for region in range(regions - 1):
        own, others = part[:, region : region + 1], part[:, region + 1 :]
        out = larger[:, region + 1 :] if instances == 1 else xp.empty(others.shape, dtype=bool)
        xp.greater(own, others, out=out)
        words = out.view(xp.uint64).sum(axis=-1)
        if tied:
            xp.greater_equal(own, others, out=out)
            words = words + out.view(xp.uint64).sum(axis=-1)
        counts = words.reshape(instances, -1, 1).view(xp.uint8).sum(axis=-1, dtype=xp.int64)
        ahead[:, region, region + 1 :] += counts
