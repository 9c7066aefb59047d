"""Series made small enough to draw: means over regions and a few regions, extremes of short stretches of time.

Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ratemlx.runtime.arrays import AnyArray

STRETCHES = 160
"""A line is drawn by the least and the greatest value of so many stretches of time, so that no burst is lost."""
SHOWN_REGIONS = 3
DRAWABLE = 1e30


def shown_regions(count: int) -> list[int]:
    """A few regions, spread from the first to the last."""
    return sorted({round(index * (count - 1) / max(1, SHOWN_REGIONS - 1)) for index in range(SHOWN_REGIONS)})


def line_names(regions: Sequence[str]) -> tuple[str, ...]:
    """What the lines of `reduce_series` are."""
    return ("mean over regions", *(regions[index] for index in shown_regions(len(regions))))


def reduce_series(series: AnyArray) -> AnyArray:
    """Series (exposure, time, region) as lines (exposure, line, time): the mean over regions, then a few regions."""
    values = np.where(np.isfinite(series) & (np.abs(series) < DRAWABLE), series, np.nan).astype(np.float64)
    lines = np.concatenate([mean_over_regions(values)[..., None], values[..., shown_regions(values.shape[2])]], axis=2)
    return shorten(np.moveaxis(lines, 2, 1)).astype(np.float32)


def mean_over_regions(values: AnyArray) -> AnyArray:
    """Mean over the last axis of what is finite, NaN where nothing is."""
    finite = np.isfinite(values)
    counts = finite.sum(axis=-1)
    sums = np.where(finite, values, 0.0).sum(axis=-1)
    means: AnyArray = np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return means


def shorten(lines: AnyArray, stretches: int = STRETCHES) -> AnyArray:
    """Lines along the last axis by their extremes in each stretch, in the order in which they occur."""
    count = lines.shape[-1]
    if count <= 2 * stretches:
        return lines
    bounds = np.linspace(0, count, stretches + 1).astype(int)
    pieces = [_extremes(lines[..., first:last]) for first, last in pairwise(bounds)]
    return np.concatenate(pieces, axis=-1)


def _extremes(piece: AnyArray) -> AnyArray:
    """The least and the greatest value of a stretch as they follow each other; NaN if all are."""
    low = np.where(np.isnan(piece), np.inf, piece).argmin(axis=-1)
    high = np.where(np.isnan(piece), -np.inf, piece).argmax(axis=-1)
    places = np.stack([np.minimum(low, high), np.maximum(low, high)], axis=-1)
    return np.take_along_axis(piece, places, axis=-1)
