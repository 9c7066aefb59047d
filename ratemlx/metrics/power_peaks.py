"""Peaks of the power spectrum. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

PROMINENCE = 1.0
"""Least prominence of a peak, in the power's unit."""


@metric(
    outputs=(
        Output("fmax_amp", "Hz", "Frequency of the highest peak of the power spectrum"),
        Output("pmax_amp", "{x}^2", "Power at that peak"),
        Output("fmax_prom", "Hz", "Frequency of the most prominent peak of the power spectrum"),
        Output("pmax_prom", "{x}^2", "Power at that peak"),
    ),
    needs_samples=8,
    groups=TABLE_2,
    reference=PAPER,
)
def power_spectrum_peaks(recording: Recording) -> Mapping[str, Array]:
    """Frequency and power of the highest and of the most prominent peak of the power spectrum.

    The spectrum is |FFT|^2 of the traces, averaged over regions, at positive frequencies below Nyquist's. Peaks are
    those of scipy.signal.find_peaks with a prominence of at least 1. Undefined where there is none.
    """
    from scipy.signal import find_peaks

    # Prominences are found one after another: on the host, of one short spectrum for each instance.
    power = recording.to_host(recording.power)
    frequencies = recording.to_host(recording.frequencies)
    found = np.full((4, len(power)), np.nan)
    for instance, spectrum in enumerate(power):
        peaks, properties = find_peaks(spectrum, prominence=PROMINENCE)
        if len(peaks):
            highest = peaks[np.argmax(spectrum[peaks])]
            most_prominent = peaks[np.argmax(properties["prominences"])]
            found[:, instance] = (
                frequencies[highest],
                spectrum[highest],
                frequencies[most_prominent],
                spectrum[most_prominent],
            )
    return dict(zip(("fmax_amp", "pmax_amp", "fmax_prom", "pmax_prom"), found, strict=True))
