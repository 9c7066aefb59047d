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


def _sums_of_signs(recording: Recording) -> Array:
    """(instance, region, region), above the diagonal: samples at which the phase is ahead, less those behind."""
    xp, samples = recording.xp, recording.n_samples
    signs = xp.zeros((recording.n_instances, recording.n_regions, recording.n_regions), dtype=xp.int64)
    for first in range(0, samples, BLOCK):
        turn = _turn(xp, recording.traces[..., first : first + BLOCK], recording.hilbert[..., first : first + BLOCK])
        ordered = xp.sort(turn, axis=1)
        tied = bool(recording.to_host((ordered[:, 1:] == ordered[:, :-1]).any()))
        _count(xp, turn, tied, signs)
    return xp.triu(signs, 1)


def _turn(xp: Any, x: Array, y: Array) -> Array:
    """A number from -2 to 2 that orders like the angle of x + iy, and costs less than an arcus tangent.

    It is y / (|x| + |y|) in the right half plane, and grows on through the left one.
    """
    length = xp.abs(x)
    length += xp.abs(y)
    turn = y / xp.where(length > 0, length, 1.0)
    return xp.where(x < 0, xp.copysign(2.0 - xp.abs(turn), y), turn)


def _count(xp: Any, turn: Array, tied: bool, signs: Array) -> None:
    """Add to `signs`, for each region and those after it, samples ahead less samples behind.

    Comparisons are bytes of 0 or 1, added eight at a time. Without ties, what is not ahead is behind.
    """
    instances, regions, samples = turn.shape
    if samples % 8:
        # Further samples are zeros in all regions: ahead of none, and tied.
        turn = xp.concatenate([turn, xp.zeros((instances, regions, -samples % 8))], axis=-1)
    ties = turn.shape[-1] - samples if tied else 0
    for region in range(regions - 1):
        own, others = turn[:, region : region + 1], turn[:, region + 1 :]
        words = (own > others).view(xp.uint64).sum(axis=-1)
        words += (own >= others).view(xp.uint64).sum(axis=-1) if tied else words
        counts = words[..., None].view(xp.uint8).sum(axis=-1, dtype=xp.int64)
        signs[:, region, region + 1 :] += counts - (samples + ties)
