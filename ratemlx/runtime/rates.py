"""How fast a kernel runs here: measured on the last run, kept in the cache, guessed before the first.

Used for estimates of time and sizes of batches only; a wrong rate changes no result.
"""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress

from ratemlx import metrics
from ratemlx.errors import DeviceError
from ratemlx.metrics.recording import RATE_UNITS
from ratemlx.runtime.cache import cache_folder, replacing
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.spec import Job

OPERATIONS_PER_LANE = 4e9
"""Operations per second of one lane of one worker, before anything was measured. With the next two a fit to the time of
one AVX-512 core for adex, wong_wang_exc_inh and montbrio; seven of the shipped models are within 1.6 either way."""
OPERATIONS_OF_AN_EDGE = 16
"""What gathering one delayed value costs, in operations: the history of a batch is larger than the caches."""
OPERATIONS_OF_A_STEP = 40
"""Of one region besides the model's own: state, samples, loops."""
UNCERTAIN = 2.0
"""By what factor an estimate may be wrong either way before anything was measured on this machine."""
ANALYSIS_SECONDS = 3.5e-9
"""Of one metric for one sample of one region, on one worker, before anything was measured: what metrics of Table 2 take
in the mean (`python -m ratemlx.bench.metrics`)."""
ANALYSIS_OF_RATES = 4e-8
"""The same of a metric of rates only, which follows every region's states through time."""


def expected_rate(job: Job, device: Device, lanes: int) -> float:
    """Node-steps per second of the whole device, the time for analysis included."""
    remembered = _remembered(job, device, lanes)
    if remembered is not None:
        return remembered[0]
    guess = OPERATIONS_PER_LANE * lanes * device.workers / _operations(job)
    return guess / (1 + _guessed_analysis(job, device, guess))


def is_measured(job: Job, device: Device, lanes: int) -> bool:
    """Whether `expected_rate` comes from an earlier run on this machine."""
    return _remembered(job, device, lanes) is not None


def _operations(job: Job) -> float:
    """What a region's step costs, the coupling that it gathers included."""
    gathered = job.manifest.channels * len(job.edges) / job.connectome.n_regions
    return job.manifest.operations_per_step + OPERATIONS_OF_A_STEP + OPERATIONS_OF_AN_EDGE * gathered


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
    chosen = metrics.select(outputs.metrics, outputs.plugins) if outputs.metrics else ()
    of_any, of_rates = (sum(item.needs_rate == which for item in chosen) for which in (False, True))
    units = {item.name: item.unit for item in job.manifest.exposures}
    n_rates = sum(units[name] in RATE_UNITS for name in job.observed)
    of_sample = ANALYSIS_SECONDS * of_any * len(job.observed) + ANALYSIS_OF_RATES * of_rates * n_rates
    return of_sample * job.timing.n_samples / device.workers * rate / job.timing.n_steps


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
