"""Pairs of regions as observables store them, and correlations of short signals.

A symmetric matrix is stored as its upper triangle with the diagonal, row after row. Knows arrays only.
"""

from __future__ import annotations

import math

import numpy as np

from ratemlx.observables.moments import FLAT_UNITS
from ratemlx.runtime.arrays import AnyArray, Bools


def matrices(pairs: AnyArray) -> AnyArray:
    """(..., pair) to (..., region, region)."""
    n_regions = (math.isqrt(8 * pairs.shape[-1] + 1) - 1) // 2
    first, second = np.triu_indices(n_regions)
    result = np.empty((*pairs.shape[:-1], n_regions, n_regions), pairs.dtype)
    result[..., first, second] = pairs
    result[..., second, first] = pairs
    return result


def upper_triangle(matrix: AnyArray) -> AnyArray:
    """(..., region, region) to (..., pair)."""
    first, second = np.triu_indices(matrix.shape[-1])
    result: AnyArray = matrix[..., first, second]
    return result


def correlations(signals: AnyArray) -> tuple[AnyArray, Bools]:
    """Pearson correlations of (..., time, region) as (..., pair), and which regions are flat (..., region).

    A flat region is constant but for rounding of the signals' own numbers; its correlations are zero.
    """
    values = signals.astype(np.float64)
    deviation = values - values[..., :1, :]
    deviation -= deviation.mean(axis=-2, keepdims=True)
    norm = np.sqrt(np.square(deviation).sum(axis=-2))
    unit = FLAT_UNITS * np.finfo(signals.dtype).eps
    flat = norm <= unit * np.sqrt(values.shape[-2]) * np.abs(values).max(axis=-2)
    standard = deviation / np.where(flat, np.inf, norm)[..., None, :]
    matrix = np.clip(np.swapaxes(standard, -1, -2) @ standard, -1.0, 1.0)
    region = np.arange(matrix.shape[-1])
    matrix[..., region, region] = np.where(flat, 0.0, matrix[..., region, region] * 0.0 + 1.0)
    return upper_triangle(matrix).astype(signals.dtype), flat
