"""How fast a kernel runs here: measured on the last run, kept in the cache, guessed before the first.

Used for estimates of time and sizes of batches only; a wrong rate changes no result.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from ratemlx.errors import DeviceError
from ratemlx.runtime.cache import cache_folder, replacing
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.spec import Job

OPERATIONS_PER_LANE = 2e9
"""Operations per second of one lane of one worker, before anything was measured (a cautious figure for a CPU)."""


def expected_rate(job: Job, device: Device, lanes: int) -> float:
    """Node-steps per second of the whole device."""
    try:
        rate = float((cache_folder("rates") / _key(job, device, lanes)).read_text(encoding="ascii"))
        if rate > 0:
            return rate
    except (OSError, ValueError, DeviceError):
        pass
    return OPERATIONS_PER_LANE * lanes * device.workers / max(job.manifest.operations_per_step, 50)


def remember_rate(job: Job, device: Device, lanes: int, rate: float) -> None:
    """Keep a measured rate for the next estimate; where it cannot be kept, the run is no worse for it."""
    if rate > 0:
        with suppress(OSError, DeviceError), replacing(cache_folder("rates") / _key(job, device, lanes)) as path:
            path.write_text(f"{rate:.4g}\n", encoding="ascii")


def _key(job: Job, device: Device, lanes: int) -> str:
    spec = job.spec
    parts = (device.name, spec.precision, spec.integrator, spec.noise, lanes, job.connectome.n_regions)
    digest = hashlib.blake2b(repr(parts).encode() + job.manifest.to_json().encode(), digest_size=8)
    return f"{job.manifest.model[:40]}-{digest.hexdigest()}"
