"""Running a plan: batch after batch on one device, each handed on when it is finished.

Knows plan, device and progress; where results go is the caller's `keep`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemlx.abi import BLOCK_SIZES, definitions
from ratemlx.runtime.arrays import AnyArray, Int32s, Int64s
from ratemlx.runtime.batch import RunningBatch, SpeedGroupArrays
from ratemlx.runtime.devices.base import Device, Kernel
from ratemlx.runtime.plan import Plan, SpeedGroup
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
    variants = _Variants(job, plan.limits.lanes, device, progress)
    seconds = 0.0
    with _settled(device):
        for wave in plan.waves:
            kernels = [variants.kernel(batch.group) for batch in wave]
            started = time.perf_counter()
            running = [
                RunningBatch(job, batch, plan.limits.lanes, variants.arrays(batch.group), kernel, device)
                for batch, kernel in zip(wave, kernels, strict=True)
            ]
            for result in _finish(running, progress):
                keep(result)
            seconds += time.perf_counter() - started
    return plan.node_steps / seconds if seconds else 0.0


@contextmanager
def _settled(device: Device) -> Iterator[None]:
    """Wait for the device also when interrupted: buffers are freed next, and no kernel may still write to them."""
    try:
        yield
    except BaseException:
        device.synchronize()
        raise


class _Variants:
    """Kernels by block size, and edges of the speed groups in hand (waves go through groups in order)."""

    def __init__(self, job: Job, lanes: int, device: Device, progress: Progress) -> None:
        self._job, self._lanes, self._device, self._progress = job, lanes, device, progress
        self._kernels: dict[int, Kernel] = {}
        self._latest: tuple[SpeedGroup, SpeedGroupArrays] | None = None

    def kernel(self, group: SpeedGroup) -> Kernel:
        if group.block not in self._kernels:
            loaded = load_kernel(self._job, group.block, self._lanes, self._device, self._progress)
            self._kernels[group.block] = loaded
        return self._kernels[group.block]

    def arrays(self, group: SpeedGroup) -> SpeedGroupArrays:
        if self._latest is None or self._latest[0] is not group:
            self._latest = group, SpeedGroupArrays(self._job, group, self._device)
        return self._latest[1]


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
        regional=job.regional is not None,
        stimuli=job.stimuli is not None,
        observe=job.observed,
        constants=job.constants,
    )
    with progress.compiling(f"{job.manifest.model} for blocks of {block}"):
        return device.load(Path(job.spec.folder), job.manifest, chosen)


def _finish(wave: Sequence[RunningBatch], progress: Progress) -> list[BatchResult]:
    """All steps of batches that run side by side; the length of calls follows the time they take."""
    job, device = wave[0].job, wave[0].device
    series = [np.empty(batch.series_shape, dtype=job.dtype) for batch in wave]
    steps = BLOCK_SIZES[0]
    device.synchronize()
    while any(batch.running for batch in wave):
        started = time.perf_counter()
        active = [(batch, values) for batch, values in zip(wave, series, strict=True) if batch.running]
        done = [batch.advance(steps) for batch, _ in active]
        device.synchronize()
        for batch, values in active:
            chunk = batch.collect()
            values[:, :, chunk.first : chunk.first + chunk.values.shape[2]] = chunk.values
        progress.advance(sum(n * len(batch.plan.instances) for n, (batch, _) in zip(done, active, strict=True)))
        elapsed = max(time.perf_counter() - started, 1e-6)
        # At most tenfold at a time: the first call also pays for page faults and says little.
        steps = int(min(max(done) * CHUNK_SECONDS / elapsed, max(done) * 10))
    return [
        BatchResult(batch.plan.instances, values, batch.diverged_at())
        for batch, values in zip(wave, series, strict=True)
    ]
