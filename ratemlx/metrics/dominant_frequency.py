"""The frequency at which each region has most power. Knows recordings only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

SEGMENT_MS = 1000.0


@metric(
    outputs=(Output("freq_dom", "Hz", "Frequency of largest power", regional=True),),
    needs_ms=SEGMENT_MS,
    needs_samples=8,
    groups=TABLE_2,
    reference=PAPER,
)
def dominant_frequency(recording: Recording) -> Mapping[str, Array]:
    """Frequency at which the spectral density of each region is largest, to 1 Hz.

    The density by Welch's method: segments of 1 s that overlap by half, each less its mean, times a Hann window; as
    scipy.signal.welch. Undefined for constant traces.
    """
    xp = recording.xp
    length = max(8, round(SEGMENT_MS / recording.period))
    window = 0.5 - 0.5 * xp.cos(xp.arange(length) * (2 * math.pi / length))
    density: Array = 0.0
    for first in range(0, recording.n_samples - length + 1, length - length // 2):
        segment = recording.traces[..., first : first + length]
        segment = (segment - segment.mean(axis=-1, keepdims=True)) * window
        part = recording.fft.rfft(segment, axis=-1)
        density = density + xp.square(part.real) + xp.square(part.imag)
    # One-sided: 0 and Nyquist's frequency have no mirror image.
    density[..., 0] *= 0.5
    if length % 2 == 0:
        density[..., -1] *= 0.5
    frequency = density.argmax(axis=-1) * (recording.sampling_rate / length)
    return {"freq_dom": xp.where(recording.fluctuates, frequency, xp.nan)}
