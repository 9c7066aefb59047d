"""Convolution with a Gaussian, by Fourier transforms. Knows arrays only."""

from __future__ import annotations

import math
from typing import Any

from ratemlx.metrics.arrays import Array

REACH = 8.5
"""Standard deviations at which the Gaussian is cut: it is 2e-16 of its height there, the unit of rounding."""


def gaussian_smooth(xp: Any, fft: Any, traces: Array, deviation: float) -> Array:
    """Traces (..., time) convolved with a Gaussian of the given standard deviation in samples, zero outside.

    The Gaussian is divided by its integral, not by its sum over samples, as in van der Vlag et al. 2023.
    """
    n_samples = traces.shape[-1]
    reach = math.ceil(REACH * deviation)
    length = fft.next_fast_len(n_samples + reach, real=True)
    distance = xp.arange(length // 2 + 1, dtype=xp.float64)
    half = xp.where(distance <= reach, xp.exp(-0.5 * xp.square(distance / deviation)), 0.0)
    half /= math.sqrt(2 * math.pi) * deviation
    kernel = xp.concatenate([half, half[1 : length - length // 2][::-1]])
    # The kernel is even: its transform is real.
    response = fft.rfft(kernel).real
    spectrum = fft.rfft(traces, n=length, axis=-1)
    spectrum *= response
    return fft.irfft(spectrum, n=length, axis=-1)[..., :n_samples]
