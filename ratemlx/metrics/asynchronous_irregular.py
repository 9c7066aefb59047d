"""The share of regions in the asynchronous irregular state. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording
from ratemlx.runtime.arrays import AnyArray, Bools

BINS = 101
RANGE_HZ = (0.0, 100.0)
PROMINENCE = 100
"""Least prominence of a peak of the histogram, in samples."""
DOWN_BIN = 5
"""A peak up to this bin is that of a down state."""
BLOCK = 1000
"""Samples put into bins at a time, so that they stay in the cache."""
SATURATED_HZ = 120.0
"""A region that gets as high as this is at the fixed point of high rates, and counts."""


@metric(
    outputs=(Output("ratio_AI", "1", "Share of regions in the asynchronous irregular state"),),
    needs_samples=PROMINENCE,
    needs_rate=True,
    groups=TABLE_2,
    reference=PAPER,
)
def asynchronous_irregular_ratio(recording: Recording) -> Mapping[str, Array]:
    """Share of regions in the asynchronous irregular state, rather than alternating between up and down.

    By the histogram of a region's rates in 101 bins from 0 to 100 Hz: the state is asynchronous irregular if the two
    most prominent of its peaks (prominence of at least 100 samples, the histogram continued by its smallest count)
    all lie above bin 5 (5 Hz). A region whose rate exceeds 120 Hz at any time counts, one without a peak does not.
    """
    xp = recording.xp
    counts = recording.to_host(_histograms(recording))
    # Prominences are found one after another: on the host, of 101 numbers for each region.
    irregular = without_down_state(counts, recording.n_samples)
    irregular = irregular.reshape(recording.n_instances, recording.n_regions)
    saturated = recording.traces.max(axis=-1) > SATURATED_HZ
    return {"ratio_AI": (xp.asarray(irregular) | saturated).mean(axis=1)}


def _histograms(recording: Recording) -> Array:
    """Counts (instance * region, bin), with bins closed below, the last one closed above too, as numpy.histogram."""
    xp = recording.xp
    traces = recording.traces.reshape(-1, recording.n_samples)
    row = xp.arange(len(traces))[:, None] * (BINS + 1)
    size = len(traces) * (BINS + 1)
    counts: Array = 0
    for first in range(0, recording.n_samples, BLOCK):
        index = _bins(xp, traces[:, first : first + BLOCK]) + row
        counts = counts + xp.bincount(index.reshape(-1), minlength=size)
    return counts.reshape(-1, BINS + 1)[:, :BINS]


def _bins(xp: Any, values: Array) -> Array:
    """The bin that each value falls into, BINS if none."""
    low, high = RANGE_HZ
    width = (high - low) / BINS
    index = xp.clip((values - low) / width, 0, BINS - 1).astype(xp.int64)
    # The quotient may be rounded to the wrong side of an edge.
    index -= values < low + index * width
    index += (values >= low + (index + 1) * width) & (index < BINS - 1)
    return xp.where((values >= low) & (values <= high), index, BINS)


def without_down_state(counts: AnyArray, largest: int) -> Bools:
    """True where the two most prominent peaks of a histogram (row, bin) lie above the down states' bins.

    False where there is no peak; `largest` is an upper bound of all counts. The histograms are looked at as one line,
    with walls between them that are higher than any peak, over which no prominence reaches.
    """
    from scipy.signal import find_peaks

    rows, bins = counts.shape
    least, wall = counts.min(axis=1, keepdims=True), np.full((rows, 1), largest + 1)
    line = np.concatenate([wall, least, counts, least], axis=1).reshape(-1)
    peaks, properties = find_peaks(np.append(line, largest + 1), height=(None, largest), prominence=PROMINENCE)
    row, bin_ = peaks // (bins + 3), peaks % (bins + 3) - 2
    order = np.lexsort((properties["prominences"], row))
    row, bin_ = row[order], bin_[order]
    # The two most prominent peaks of a row are its last two.
    ends = np.searchsorted(row, np.arange(rows), side="right")
    starts = np.searchsorted(row, np.arange(rows), side="left")
    lowest = np.full(rows, -1)
    for back in (1, 2):
        has = ends - starts >= back
        found = bin_[ends[has] - back]
        lowest[has] = found if back == 1 else np.minimum(lowest[has], found)
    above: Bools = lowest > DOWN_BIN
    return above
