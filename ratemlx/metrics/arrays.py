"""One way to write a metric for arrays of NumPy and of CuPy: the namespace that an array belongs to.

Metrics call `xp.name` and `fft.name` only, and only what both packages have. What is done on the host (peaks of a short
spectrum) says so by `to_host`; nothing else moves data. Knows no metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""An array of NumPy or of CuPy; both have no type in common."""


@dataclass(frozen=True)
class Namespace:
    """The package of an array and its discrete Fourier transforms."""

    xp: Any
    fft: Any

    def to_host(self, array: Array) -> Array:
        """The array in the host's memory: itself, or a copy from the device."""
        return array if self.xp is np else self.xp.asnumpy(array)


def namespace(array: Array) -> Namespace:
    """The namespace of an array."""
    return _cupy() if type(array).__module__.partition(".")[0] == "cupy" else _numpy()


@cache
def _numpy() -> Namespace:
    import scipy.fft

    return Namespace(np, scipy.fft)


@cache
def _cupy() -> Namespace:
    import cupy
    import cupyx.scipy.fft

    return Namespace(cupy, cupyx.scipy.fft)


def ratio(xp: Any, numerator: Array, denominator: Array) -> Array:
    """Quotients in float64, NaN where the denominator is zero."""
    nonzero = denominator != 0
    return xp.where(nonzero, numerator / xp.where(nonzero, denominator, 1.0), xp.nan)


def inner(first: Array, second: Array) -> Array:
    """Inner products over the last axis."""
    return (first * second).sum(axis=-1)
