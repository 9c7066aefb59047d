"""Running a plan: batch after batch on one device, each handed on when it is finished.

Knows plan, device and progress; where results go is the caller's `keep`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from ratemlx.abi import BLOCK_SIZES
from ratemlx.errors import DeviceMemoryError
from ratemlx.observables.base import Observer
from ratemlx.runtime.batch import BatchResult, Chunk, Place, RunningBatch, SpeedGroupArrays
from ratemlx.runtime.devices import parse_device
from ratemlx.runtime.devices.base import Device, Kernel
from ratemlx.runtime.devices.cpu import available_threads
from ratemlx.runtime.devices.names import CUDA
from ratemlx.runtime.plan import BatchPlan, Plan, SpeedGroup
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import Job
from ratemlx.runtime.stopping import interruptible
from ratemlx.runtime.variant import kernel_definitions

PENDING_BLOCKS = 512
"""Blocks of steps in a call of one batch of several: a GPU's driver holds about a thousand launches, and the first
batch's would keep the others waiting."""
SORTERS = 8
"""Threads that sort samples by instance: memory's speed is reached with fewer than a large machine has."""
CHUNK_SECONDS = 1.0
"""How often progress is told and an interrupt is heard."""


Wave = tuple[BatchPlan, ...]
"""Batches that run side by side."""


@dataclass(frozen=True, eq=False)
class Hooks:
    """What a run does beside computing: `keep` gets every finished batch, `check` may raise between chunks.

    `observers` makes a batch's observables; `series` tells where time series are gathered, if at all.
    """

    keep: Callable[[BatchResult], None]
    check: Callable[[], object] = lambda: None
    observers: Callable[[BatchPlan], Sequence[Observer]] = lambda _: ()
    series: Place | None = "host"


class Engine:
    """Runs waves of a plan on one device; kernels are loaded when they are first needed."""

    def __init__(self, job: Job, plan: Plan, device: Device, hooks: Hooks, progress: Progress) -> None:
        self._job, self._lanes, self._device = job, plan.limits.lanes, device
        self._hooks, self._progress = hooks, progress
        self._variants = _Variants(job, self._lanes, device, progress)
        self._threads: Executor | None = None
        self._running: list[RunningBatch] = []
        self.seconds = 0.0
        """Time spent so far, compilation left out."""
        self.node_steps = 0
        """Work done in that time, padding included."""

    @property
    def rate(self) -> float:
        """Node-steps per second so far, 0 before the first wave."""
        return self.node_steps / self.seconds if self.seconds else 0.0

    def run(self, waves: Iterable[Wave]) -> None:
        """Run waves and hand on each of their batches."""
        with _settled(self._device), self._sorters() as self._threads:
            for wave in waves:
                self._run_wave(wave)

    def _sorters(self) -> AbstractContextManager[Executor | None]:
        """Threads that sort what a GPU computes meanwhile; a CPU's are at work themselves."""
        if parse_device(self._job.spec.device).kind != CUDA:
            return nullcontext()
        return ThreadPoolExecutor(min(SORTERS, available_threads()), thread_name_prefix="ratemlx-sorting")

    def _run_wave(self, wave: Wave) -> None:
        kernels = [self._variants.kernel(batch.group) for batch in wave]
        started = time.perf_counter()
        running = self._begin_all(wave, kernels)
        if running is None:
            # What the attempt had allocated is held by its error, which is gone by now, or by a cycle around it.
            gc.collect()
            for part in _halved(wave, self._lanes):
                self._run_wave(part)
            return
        self._finish(running)
        self._running = []
        self.seconds += time.perf_counter() - started
        tiles = sum(batch.tiles(self._lanes) for batch in wave)
        self.node_steps += tiles * self._lanes * self._job.connectome.n_regions * self._job.timing.n_steps

    def _begin_all(self, wave: Wave, kernels: Sequence[Kernel]) -> list[RunningBatch] | None:
        """The batches of a wave, begun; None if memory is short and parts of them may fit."""
        # Held here before they start: an interrupt drops what a frame has not named yet, with the memory that kernels
        # write to.
        self._running = running = []
        try:
            for batch, kernel in zip(wave, kernels, strict=True):
                running.append(self._make(batch, kernel))
                running[-1].start()
            return running
        except DeviceMemoryError:
            self._device.synchronize()
            running.clear()
            if not _halved(wave, self._lanes):
                raise
            return None

    def _make(self, batch: BatchPlan, kernel: Kernel) -> RunningBatch:
        arrays, observers = self._variants.arrays(batch.group), self._hooks.observers(batch)
        return RunningBatch(
            self._job,
            batch,
            self._lanes,
            arrays,
            kernel,
            self._device,
            observers,
            series=self._hooks.series,
            threads=self._threads,
        )

    def _finish(self, wave: Sequence[RunningBatch]) -> None:
        """All steps of batches that run side by side, each handed on when it ends, which may be before the others do.

        A chunk computes while the one before it is collected; the length of chunks follows the time they take.
        """
        steps, pending = BLOCK_SIZES[0], list[tuple[RunningBatch, Chunk]]()
        last = time.perf_counter()
        while pending or any(batch.running for batch in wave):
            self._hooks.check()
            ended = [batch for batch, _ in pending if not batch.running]
            begun = [(batch, batch.advance(self._length(batch, steps, wave))) for batch in wave if batch.running]
            for batch, chunk in pending:
                batch.collect(chunk)
                self._progress.advance(chunk.steps * len(batch.plan.instances))
            for batch in ended:
                self._hooks.keep(batch.finish())
            if pending:
                elapsed, last = time.perf_counter() - last, time.perf_counter()
                done = max(chunk.steps for _, chunk in pending)
                # At most tenfold at a time: the first call also pays for page faults and says little.
                steps = int(min(done * CHUNK_SECONDS / max(elapsed, 1e-6), done * 10))
            pending = begun

    def _length(self, batch: RunningBatch, steps: int, wave: Sequence[RunningBatch]) -> int:
        """Steps of a call, fewer where batches of a wave must not keep each other waiting."""
        return steps if len(wave) == 1 else min(steps, PENDING_BLOCKS * batch.plan.group.block)


def run_plan(job: Job, plan: Plan, device: Device, hooks: Hooks, progress: Progress) -> float:
    """Run all batches; gives node-steps per second without compilation."""
    engine = Engine(job, plan, device, hooks, progress)
    engine.run(plan.waves)
    return engine.rate


def _halved(wave: Wave, lanes: int) -> list[Wave]:
    """The batches of a wave one by one; a single one as two of half the instances, or nothing if it is one tile."""
    if len(wave) > 1:
        return [(batch,) for batch in wave]
    (batch,) = wave
    tiles = batch.tiles(lanes)
    if tiles < 2:
        return []
    half = tiles // 2 * lanes
    parts = batch.instances[:half], batch.instances[half:]
    return [(replace(batch, instances=part, memory=batch.memory // 2),) for part in parts]


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
    chosen = kernel_definitions(job, block, lanes)
    with progress.compiling(f"{job.manifest.model} for blocks of {block}"), interruptible():
        return device.load(Path(job.spec.folder), job.manifest, chosen)
