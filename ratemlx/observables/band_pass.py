"""The band-pass of finished BOLD signals.

Knows arrays only. SciPy's filters are imported when they are needed.
"""

from __future__ import annotations

import numpy as np

from ratemlx.runtime.arrays import AnyArray


def band_pass(bold: AnyArray, band: tuple[float, float], TR: float, order: int) -> AnyArray:
    """Butterworth filter of (instance, exposure, volume, region) for `band` (Hz), TR in ms, without a shift in time.

    It runs forward and backward, so the slopes are twice as steep as those of `order`. Instances that are not finite
    become NaN.
    """
    from scipy.signal import butter, sosfiltfilt

    sections = butter(order, band, btype="bandpass", fs=1000.0 / TR, output="sos")
    finite = np.isfinite(bold).all(axis=(1, 2, 3))
    result = np.full(bold.shape, np.nan)
    if finite.any():
        result[finite] = sosfiltfilt(sections, bold[finite].astype(np.float64), axis=2)
    return result
