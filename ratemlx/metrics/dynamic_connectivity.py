"""Dynamics of functional connectivity, in sliding windows and by phases. Knows recordings only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.blas import one_thread
from ratemlx.metrics.correlate import standardised, windowed_correlations
from ratemlx.metrics.distribution import kolmogorov_smirnov
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

FEWEST_WINDOWS = 3
WINDOWS_MS = 1201.0
"""Three windows of 1,000 ms every 100 ms, the last of which ends before the recording."""
PHASE_TIMES = 400
"""Most points in time at which patterns of phases are compared."""


@metric(
    outputs=(Output("var_FCD", "1", "Variance of the correlations between functional connectivities over time"),),
    needs_ms=WINDOWS_MS,
    groups=TABLE_2,
    reference=PAPER,
)
def fcd_variance(recording: Recording) -> Mapping[str, Array]:
    """Variance of functional connectivity dynamics.

    Matrices of Pearson correlations in windows of 1,000 ms every 100 ms (the last window ends before the recording
    does) are correlated with each other over all their entries. The variance is that of the upper triangle from the
    second diagonal on, the other entries counted as zeros. Undefined for recordings of fewer than three windows.
    """
    xp = recording.xp
    windows = window_fc(recording)
    if windows is None:
        return {"var_FCD": xp.full(recording.n_instances, xp.nan)}
    vectors = standardised(xp, windows.reshape(*windows.shape[:2], -1))
    similarity = xp.triu(vectors @ xp.swapaxes(vectors, 1, 2), 2)
    return {"var_FCD": xp.where(recording.fc_defined, similarity.var(axis=(1, 2)), xp.nan)}


@metric(
    outputs=(
        Output("mean_FCD", "1", "Mean correlation between functional connectivities of two windows"),
        Output("KS_FCD", "1", "Kolmogorov-Smirnov distance of these correlations to the reference's"),
    ),
    needs_ms=WINDOWS_MS,
    groups=("dynamics",),
    reference="Hansen et al. 2015, NeuroImage 105:525",
)
def sliding_window_fcd(recording: Recording) -> Mapping[str, Array]:
    """Functional connectivity dynamics in sliding windows, and their distance to a reference.

    The upper triangles of the matrices of Pearson correlations in windows (1,000 ms every 100 ms unless the recording
    says otherwise) are correlated with each other, each pair of windows once. The distance is the largest difference
    of the cumulative distributions of these numbers and the reference's `FCD`; undefined without a reference.
    """
    xp = recording.xp
    values = fcd_values(recording)
    if values is None:
        missing = xp.full(recording.n_instances, xp.nan)
        return {"mean_FCD": missing, "KS_FCD": missing}
    found = {"mean_FCD": values.mean(axis=1), "KS_FCD": _distance(recording, values, "FCD")}
    return {name: xp.where(recording.fc_defined, value, xp.nan) for name, value in found.items()}


@metric(
    outputs=(
        Output("mean_phFCD", "1", "Mean similarity of the patterns of phases at two times"),
        Output("var_phFCD", "1", "Variance of that similarity"),
        Output("KS_phFCD", "1", "Kolmogorov-Smirnov distance of these similarities to the reference's"),
    ),
    needs_samples=8,
    groups=("dynamics",),
    reference="Deco et al. 2019, PNAS 116:18088",
)
def phase_fcd(recording: Recording) -> Mapping[str, Array]:
    """Dynamics of phase coherence (phFCD), and their distance to a reference.

    The pattern at one time is the matrix of cosines of differences between the Hilbert phases of the centred traces.
    The similarity of two times is the cosine similarity of its upper triangles, each pair of times once, at up to 400
    times evenly apart. The distance is that of the distributions, as for sliding_window_fcd, to the reference's
    `phFCD`. For slow signals such as BOLD, band-pass the series first. Constant regions are left out.
    """
    xp = recording.xp
    values = phase_fcd_values(recording)
    found = {
        "mean_phFCD": values.mean(axis=1),
        "var_phFCD": values.var(axis=1),
        "KS_phFCD": _distance(recording, values, "phFCD"),
    }
    defined = recording.fluctuates.sum(axis=1) >= 2
    return {name: xp.where(defined, value, xp.nan) for name, value in found.items()}


def window_fc(recording: Recording) -> Array | None:
    """Functional connectivity (instance, window, region, region), or None for fewer than three windows.

    A window is a whole number of steps long; it starts at every step before the last that it could start at.
    """
    step, steps = _window(recording.period, recording.fcd_window, recording.fcd_step)
    windows = n_windows(recording.n_samples, recording.period, recording.fcd_window, recording.fcd_step)
    if windows < FEWEST_WINDOWS:
        return None
    assert recording.values is not None
    dtype = recording.values.dtype
    return windowed_correlations(recording.xp, recording.traces, step, steps, windows, dtype)


def n_windows(n_samples: int, period: float, window: float, step: float) -> int:
    """Windows of a recording of so many samples, `period` ms apart; of fewer than three there are no dynamics."""
    length, count = _window(period, window, step)
    return -((count * length - n_samples) // length)


def _window(period: float, window: float, step: float) -> tuple[int, int]:
    """Samples of a step, and steps of a window."""
    samples = max(2, round(step / period))
    return samples, max(1, round(window / (samples * period)))


@one_thread()
def fcd_values(recording: Recording) -> Array | None:
    """Correlations (instance, pair of windows) between functional connectivities.

    None for fewer than three windows, or fewer than three regions, of which there is one pair.
    """
    windows = window_fc(recording)
    if windows is None or recording.n_regions < 3:
        return None
    xp = recording.xp
    first, second = _pairs(recording, recording.n_regions)
    vectors = standardised(xp, xp.ascontiguousarray(windows[:, :, first, second]))
    similarity = vectors @ xp.swapaxes(vectors, 1, 2)
    first, second = _pairs(recording, windows.shape[1])
    return xp.ascontiguousarray(similarity[:, first, second])


@one_thread()
def phase_fcd_values(recording: Recording) -> Array:
    """Similarities (instance, pair of times) between patterns of phases.

    With unit phasors u, the inner product of two patterns over all entries is (|sum u conj(v)|^2 + |sum u v|^2) / 2:
    the matrices of cosines are never formed.
    """
    xp = recording.xp
    every = max(1, math.ceil(recording.n_samples / PHASE_TIMES))
    # The Hilbert transform does not see a mean: that of the traces is that of the centred ones.
    signal = recording.centred[..., ::every] + 1j * recording.hilbert[..., ::every]
    length = xp.abs(signal)
    used = recording.fluctuates[..., None] & (length > 0)
    phasors = xp.where(used, signal / xp.where(used, length, 1.0), 0.0)
    # One instance after another: their patterns would take much more memory than their series.
    return xp.stack([_similarities(recording, row) for row in phasors])


def _similarities(recording: Recording, phasors: Array) -> Array:
    """Similarities (pair of times,) of the patterns of phasors (region, time)."""
    xp = recording.xp
    first, second = _pairs(recording, phasors.shape[1])
    products = xp.zeros(len(first))
    lengths = xp.zeros(phasors.shape[1])
    for part in (phasors.T.conj() @ phasors, phasors.T @ phasors):
        squares = xp.square(part.real) + xp.square(part.imag)
        products += squares[first, second] / 2
        lengths += xp.diagonal(squares) / 2
    # A region's product with itself is no pair.
    present = xp.square(xp.abs(phasors))
    products -= (present.T @ present)[first, second]
    lengths -= xp.square(present).sum(axis=0)
    scale = xp.sqrt(xp.maximum(lengths, 0.0))
    scale = xp.where(scale > 0, scale, xp.inf)
    return products / (scale[first] * scale[second])


def _pairs(recording: Recording, count: int) -> tuple[Array, Array]:
    first, second = recording.xp.triu_indices(count, 1)
    return first, second


def _distance(recording: Recording, values: Array, name: str) -> Array:
    xp = recording.xp
    reference = recording.references.get(name)
    if reference is None:
        return xp.full(recording.n_instances, xp.nan)
    return kolmogorov_smirnov(xp, values, recording.to_device(reference))
