"""How fast a kernel runs here: measured on the last run, kept in the cache, guessed before the first.

Used for estimates of time and sizes of batches only; a wrong rate changes no result.
"""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress

from ratemlx import metrics
from ratemlx.errors import DeviceError
from ratemlx.runtime.cache import cache_folder, replacing
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.spec import Job

OPERATIONS_PER_LANE = 2e9
"""Operations per second of one lane of one worker, before anything was measured (a cautious figure for a CPU)."""
ANALYSIS_SECONDS = 5e-9
"""Of one metric for one sample of one region, on one worker, before anything was measured: what metrics of Table 2 take
in the mean (`python -m ratemlx.bench.metrics`)."""


def expected_rate(job: Job, device: Device, lanes: int) -> float:
    """Node-steps per second of the whole device, the time for analysis included."""
    remembered = _remembered(job, device, lanes)
    if remembered is not None:
        return remembered[0]
    guess = OPERATIONS_PER_LANE * lanes * device.workers / max(job.manifest.operations_per_step, 50)
    return guess / (1 + _guessed_analysis(job, device, guess))


def expected_analysis(job: Job, device: Device, lanes: int) -> float:
    """Seconds of analysis for each second of simulation."""
    remembered = _remembered(job, device, lanes)
    if remembered is not None:
        return remembered[1]
    return _guessed_analysis(job, device, expected_rate(job, device, lanes))


def remember_rate(job: Job, device: Device, lanes: int, rate: float, analysis: float = 0.0) -> None:
    """Keep what was measured for the next estimate; where it cannot be kept, the run is no worse for it."""
    if rate > 0:
        with suppress(OSError, DeviceError), replacing(cache_folder("rates") / _key(job, device, lanes)) as path:
            path.write_text(f"{rate:.4g} {analysis:.4g}\n", encoding="ascii")


def _remembered(job: Job, device: Device, lanes: int) -> tuple[float, float] | None:
    """Rate, and seconds of analysis for each of simulation; None where nothing was measured that makes sense."""
    with suppress(OSError, ValueError, DeviceError):
        text = (cache_folder("rates") / _key(job, device, lanes)).read_text(encoding="ascii")
        rate, analysis = (float(item) for item in text.split())
        if 0 < rate < math.inf and 0 <= analysis < math.inf:
            return rate, analysis
    return None


def _guessed_analysis(job: Job, device: Device, rate: float) -> float:
    """As `expected_analysis`, of a kernel of this rate: what metrics take in the mean, times what they look at."""
    outputs = job.spec.outputs
    count = len(metrics.select(outputs.metrics, outputs.plugins)) if outputs.metrics else 0
    of_instance = ANALYSIS_SECONDS * count * len(job.observed) * job.timing.n_samples / device.workers
    return of_instance * rate / job.timing.n_steps


def _key(job: Job, device: Device, lanes: int) -> str:
    """Of everything that decides about speed; how much is analysed decides where anything is."""
    spec, outputs = job.spec, job.spec.outputs
    parts: tuple[object, ...] = (device.name, spec.precision, spec.integrator, spec.noise, lanes)
    parts = (*parts, job.connectome.n_regions)
    if outputs.computes:
        looked_at = outputs.metrics, outputs.fitness is not None, outputs.bold is not None
        parts = (*parts, *looked_at, len(job.observed), job.timing.n_samples, job.timing.n_steps)
    digest = hashlib.blake2b(repr(parts).encode() + job.manifest.to_json().encode(), digest_size=8)
    return f"{job.manifest.model[:40]}-{digest.hexdigest()}"
