"""Simulations with observables: what they found, and the series if these are asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import ObservableSettings
from ratemlx.runtime import RunSpec
from ratemlx.runtime.batch import BatchResult, Place
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.engine import Hooks, run_plan
from ratemlx.runtime.plan import Limits, make_plan
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import prepare

Arrays = dict[str, NDArray[np.floating]]


def observed(
    spec: RunSpec, settings: ObservableSettings, *, chunk_samples: int | None = None, series: bool = False
) -> Arrays:
    """Arrays by name, all instances first; `series` adds those. Batches are as the spec says, one if it does not."""
    job = prepare(spec)
    threads, times = spec.threads or 1, job.timing
    device = open_device(spec.device, threads)
    lanes = device.lanes("float32")
    layout = Layout(job.connectome.n_regions, job.observed, times.period, times.n_samples, lanes, job.dtype)
    observation = Observation(settings, layout)
    plan = make_plan(
        job.manifest,
        job.edges,
        times,
        job.parameters.speeds,
        precision="float32",
        n_observed=len(job.observed),
        limits=Limits(lanes, threads, device.free_bytes(), 1e9, spec.batch_size or job.sweep.n_instances),
        observer_bytes=observation.bytes_per_instance,
    )
    if chunk_samples is not None:
        waves = tuple(tuple(replace(batch, chunk_samples=chunk_samples) for batch in wave) for wave in plan.waves)
        plan = replace(plan, waves=waves)
    make = observation.open(device)
    found: Arrays = {}

    def keep(batch: BatchResult) -> None:
        kept = {**batch.observed, **({"series": batch.series} if series else {})}
        for name, values in kept.items():
            shape = (job.sweep.n_instances, *values.shape[1:])
            found.setdefault(name, np.empty(shape, values.dtype))[batch.instances] = values

    place: Place | None = "host" if series else None
    hooks = Hooks(keep, observers=lambda batch: make(len(batch.instances), batch.chunk_samples), series=place)
    run_plan(job, plan, device, hooks, Progress())
    device.close()
    return found
