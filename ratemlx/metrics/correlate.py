"""Pearson correlations of regions, over whole series and over sliding windows. Knows arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratemlx.metrics.arrays import Array

FLAT_UNITS = 4
"""A trace is constant if its standard deviation is at most so many units of rounding of its largest value."""


def fluctuates(xp: Any, energy: Array, n_samples: int, largest: Array, dtype: Any) -> Array:
    """Where traces are not constant, by their centred sums of squares and largest absolute values."""
    unit = FLAT_UNITS * float(np.finfo(np.dtype(str(dtype))).eps)
    return energy > n_samples * xp.square(unit * largest)


def correlations(xp: Any, products: Array, fluctuating: Array) -> Array:
    """Correlations (..., region, region) from centred products; 0 with a constant region, itself included."""
    diagonal = xp.diagonal(products, axis1=-2, axis2=-1)
    defined = fluctuating & (diagonal > 0)
    inverse = xp.where(defined, 1.0 / xp.sqrt(xp.where(defined, diagonal, 1.0)), 0.0)
    return xp.clip(products * inverse[..., :, None] * inverse[..., None, :], -1.0, 1.0)


def windowed_correlations(xp: Any, traces: Array, step: int, steps: int, windows: int, dtype: Any) -> Array:
    """Correlations (instance, window, region, region) in windows of `steps` blocks of `step` samples each.

    Window w starts at block w. Products are centred within blocks and merged by Chan, Golub and LeVeque's formula
    (1983, Am. Stat. 37:242), which stays exact where the windows' means differ much more than values within windows.
    """
    blocks = windows - 1 + steps
    instances, regions = traces.shape[:2]
    cut = traces[..., : blocks * step].reshape(instances, regions, blocks, step)
    first = cut[..., :1]
    within = cut - first
    shift = within.mean(axis=-1, keepdims=True)
    within -= shift
    means = xp.swapaxes((first + shift)[..., 0], 1, 2)
    within = xp.moveaxis(within, 2, 1)
    products = _sliding_sums(within @ xp.swapaxes(within, -1, -2), steps, windows)
    member = xp.arange(windows)[:, None] + xp.arange(steps)[None, :]
    between = means[:, member]
    between = between - between.mean(axis=2, keepdims=True)
    products += step * (xp.swapaxes(between, -1, -2) @ between)
    largest = xp.swapaxes(xp.maximum(cut.max(axis=-1), -cut.min(axis=-1)), 1, 2)[:, member].max(axis=2)
    energy = xp.diagonal(products, axis1=-2, axis2=-1)
    return correlations(xp, products, fluctuates(xp, energy, step * steps, largest, dtype))


def _sliding_sums(blocks: Array, steps: int, windows: int) -> Array:
    """Sums (instance, window, ...) of `steps` blocks in a row; sums of 1, 2, 4, … blocks are added, never taken off."""
    total: Array = None
    start = 0
    power, length = blocks, 1
    while True:
        if steps & length:
            part = power[:, start : start + windows]
            total = part.copy() if total is None else total + part
            start += length
        if 2 * length > steps:
            return total
        power = power[:, :-length] + power[:, length:]
        length *= 2


def standardised(xp: Any, vectors: Array) -> Array:
    """Vectors (..., entry) centred and of length 1; zero vectors where they are constant."""
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    norm = xp.sqrt(xp.square(centred).sum(axis=-1, keepdims=True))
    return centred / xp.where(norm > 0, norm, xp.inf)
