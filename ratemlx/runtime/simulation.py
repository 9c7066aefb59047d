"""A run from beginning to end: check, plan, run, keep. What every interface calls."""

from __future__ import annotations

import datetime
import platform
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemlx.runtime.batch import BatchResult
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.engine import Hooks, run_plan
from ratemlx.runtime.fingerprint import fingerprint, ratemlx_version
from ratemlx.runtime.folder_lock import locked
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.plan import Limits, Plan, check_result_fits, make_plan
from ratemlx.runtime.plan_text import describe
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.rates import expected_rate, remember_rate
from ratemlx.runtime.result_folder import ResultFolder
from ratemlx.runtime.series import SeriesInfo, series_info
from ratemlx.runtime.spec import Job, RunSpec, prepare

if TYPE_CHECKING:
    from ratemlx.runtime.arrays import Int64s
    from ratemlx.runtime.result import Result


def run(spec: RunSpec, progress: Progress | None = None) -> Result:
    """Run a generated folder and give its results; raises RatemlxError of the fitting kind.

    With `spec.output`, finished batches are on disk when this is interrupted, and the next call goes on with them.
    """
    progress = progress or Progress()
    job = prepare(spec)
    device = open_device(spec.device, spec.threads)
    try:
        result = _run_in_memory(job, device, progress) if spec.output is None else _run_to_disk(job, device, progress)
    finally:
        device.close()
    if spec.figure and spec.output is not None:
        from ratemlx.runtime.figure import draw_traces
        from ratemlx.runtime.result import FIGURE_FILE

        draw_traces(result, spec.output / FIGURE_FILE)
    return result


def plan_run(spec: RunSpec) -> list[str]:
    """The plan of a run in words, without running it; raises what `run` would raise before it begins."""
    job = prepare(spec)
    device = open_device(spec.device, spec.threads)
    try:
        return describe(job, _plan(job, device), device.name)
    finally:
        device.close()


def _plan(job: Job, device: Device, pending: Int64s | None = None) -> Plan:
    spec = job.spec
    lanes = spec.lanes or device.lanes(spec.precision)
    limits = Limits(lanes, device.workers, device.free_bytes(), expected_rate(job, device, lanes), spec.batch_size)
    return make_plan(
        job.manifest,
        job.edges,
        job.timing,
        job.parameters.speeds,
        precision=spec.precision,
        n_observed=len(job.observed),
        limits=limits,
        pending=pending,
    )


def _run_in_memory(job: Job, device: Device, progress: Progress) -> Result:
    from ratemlx.runtime.result import make_result

    plan = _plan(job, device)
    check_result_fits(plan, free_memory())
    info = series_info(job)
    series = np.empty(info.sizes, dtype=job.dtype)
    diverged_at = np.empty(info.n_instances, dtype=np.int32)

    def keep(batch: BatchResult) -> None:
        series[batch.instances] = batch.series
        diverged_at[batch.instances] = batch.diverged_at

    progress.announce(describe(job, plan, device.name))
    _run_batches(job, plan, device, keep, progress)
    return make_result(info, series, diverged_at, _provenance(job, device), job.warnings)


def _run_to_disk(job: Job, device: Device, progress: Progress) -> Result:
    from dataclasses import replace

    from ratemlx.runtime.result import open_result

    assert job.spec.output is not None
    with locked(job.spec.output):
        folder = ResultFolder(job.spec.output, fingerprint(job), restart=job.spec.restart)
        if folder.complete:
            progress.announce([f"{folder.path} holds this run already, complete"])
        else:
            _fill(folder, job, device, progress)
    return replace(open_result(folder.path), warnings=job.warnings)


def _fill(folder: ResultFolder, job: Job, device: Device, progress: Progress) -> None:
    finished = folder.finished(job.sweep.n_instances)
    plan = _plan(job, device, np.flatnonzero(~finished))
    info: SeriesInfo = series_info(job)
    provenance = _provenance(job, device)
    progress.announce(describe(job, plan, device.name, int(finished.sum())))
    folder.begin(info, provenance, plan.result_bytes)
    _run_batches(job, plan, device, folder.keep, progress)
    folder.finish(info, job.dtype, provenance)


def _run_batches(job: Job, plan: Plan, device: Device, keep: Any, progress: Progress) -> None:
    progress.begin(plan.n_instances * plan.timing.n_steps)
    try:
        rate = run_plan(job, plan, device, Hooks(keep=keep), progress)
    finally:
        progress.end()
    remember_rate(job, device, plan.limits.lanes, rate)


def _provenance(job: Job, device: Device) -> dict[str, Any]:
    """What was run, with what, where; for people and for repeating it."""
    spec = job.spec
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
        "connectome": job.connectome.name,
        "normalization": spec.normalization,
        "regions": job.connectome.n_regions,
        "swept": {axis.name: len(axis.values) for axis in job.sweep.axes},
        "set": {**job.fixed, **job.constants},
        "dt": job.timing.dt,
        "period": job.timing.period,
        "duration": job.timing.duration,
        "precision": spec.precision,
        "integrator": spec.integrator,
        "noise": spec.noise,
        "common_noise": spec.common_noise,
        "seed": spec.seed,
        "warnings": list(job.warnings),
    }
