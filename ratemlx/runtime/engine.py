"""Running a plan: batch after batch on one device, each handed on when it is finished.

Knows plan, device and progress; where results go is the caller's `keep`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemlx.abi import definitions
from ratemlx.runtime.arrays import AnyArray, Int32s, Int64s
from ratemlx.runtime.batch import RunningBatch, SpeedGroupArrays
from ratemlx.runtime.devices.base import Device, Kernel
from ratemlx.runtime.plan import BatchPlan, Plan, SpeedGroup
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import Job

CHUNK_SECONDS = 1.0
"""How often progress is told and an interrupt is heard."""


@dataclass(frozen=True, eq=False)
class BatchResult:
    """A finished batch: indices of its instances, their series (instance, exposure, time, region), divergence steps."""

    instances: Int64s
    series: AnyArray
    diverged_at: Int32s


def run_plan(job: Job, plan: Plan, device: Device, keep: Callable[[BatchResult], None], progress: Progress) -> float:
    """Run all batches and hand each to `keep`; gives node-steps per second without compilation."""
    group: SpeedGroup | None = None
    work, seconds = 0, 0.0
    kernels: dict[int, Kernel] = {}
    for batch in plan.batches:
        if batch.group is not group:
            group = batch.group
            if group.block not in kernels:
                kernels[group.block] = load_kernel(job, group.block, plan.limits.lanes, device, progress)
            edges = SpeedGroupArrays(job, group, device)
        started = time.perf_counter()
        running = RunningBatch(job, batch, plan.limits.lanes, edges, kernels[group.block], device)
        keep(_finish(running, batch, progress))
        seconds += time.perf_counter() - started
        work += batch.tiles(plan.limits.lanes) * plan.limits.lanes * plan.n_regions * plan.timing.n_steps
    return work / seconds if seconds else 0.0


def load_kernel(job: Job, block: int, lanes: int, device: Device, progress: Progress) -> Kernel:
    """The kernel's variant for a block size, compiled when it is not in the cache."""
    chosen = definitions(
        job.manifest,
        lanes=lanes,
        block=block,
        precision=job.spec.precision,
        integrator=job.spec.integrator,
        noise=job.spec.noise,
        common_noise=job.spec.common_noise,
        observe=job.observed,
        constants=job.constants,
    )
    with progress.compiling(f"{job.manifest.model} for blocks of {block}"):
        return device.load(Path(job.spec.folder), job.manifest, chosen)


def _finish(running: RunningBatch, batch: BatchPlan, progress: Progress) -> BatchResult:
    """All steps of a batch; the length of calls follows the time they take."""
    job = running.job
    shape = (len(batch.instances), len(job.observed), job.timing.n_samples, job.connectome.n_regions)
    series = np.empty(shape, dtype=job.dtype)
    steps = batch.group.block
    while running.steps_done < job.timing.n_steps:
        before = running.steps_done
        started = time.perf_counter()
        chunk = running.advance(steps)
        series[:, :, chunk.first : chunk.first + chunk.values.shape[2]] = chunk.values
        done = running.steps_done - before
        progress.advance(done * len(batch.instances))
        elapsed = max(time.perf_counter() - started, 1e-6)
        # At most tenfold at a time: the first call also pays for page faults and says little.
        steps = int(min(done * CHUNK_SECONDS / elapsed, done * 10))
    return BatchResult(batch.instances, series, running.diverged_at())
