"""What was run, with what, where: for people, and for repeating it."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.fingerprint import ratemlx_version
from ratemlx.runtime.finishing import KEPT
from ratemlx.runtime.kept_arrays import RANKED
from ratemlx.runtime.spec import Job


def provenance(job: Job, device: Device, ranks: int = 1, notes: Sequence[str] = ()) -> dict[str, Any]:
    """What run.json and the database tell of a run, as JSON takes it."""
    spec = job.spec
    units = {item.name: item.unit for item in job.manifest.exposures}
    return {
        "ratemlx": ratemlx_version(),
        "model": job.manifest.model,
        "description": job.manifest.description,
        "reference": job.manifest.reference,
        "command": sys.argv,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "device": device.name,
        "ranks": ranks,
        "connectome": job.connectome.name,
        "connectome_hash": job.connectome.fingerprint,
        "normalization": spec.normalization,
        "regions": job.connectome.n_regions,
        "exposures": {name: units[name] for name in job.observed},
        "swept": {axis.name: len(axis.values) for axis in job.sweep.axes},
        "set": {**job.fixed, **job.constants},
        "dt": job.timing.dt,
        "period": job.timing.period,
        "duration": job.timing.duration,
        "samples": job.timing.n_samples,
        "transient": spec.outputs.transient,
        "TR": None if spec.outputs.bold is None else spec.outputs.bold.TR,
        "BOLD": None if spec.outputs.bold is None else asdict(spec.outputs.bold),
        "FCD": {"window": spec.outputs.fcd_window, "step": spec.outputs.fcd_step},
        "metrics": list(spec.outputs.metrics),
        "fitness": None if spec.outputs.fitness is None else list(spec.outputs.fitness.chosen),
        KEPT: spec.outputs.kept.which,
        RANKED: spec.outputs.kept.count,
        "precision": spec.precision,
        "integrator": spec.integrator,
        "noise": spec.noise,
        "common_noise": spec.common_noise,
        "seed": spec.seed,
        "warnings": list(job.warnings),
        "notes": list(notes),
    }
