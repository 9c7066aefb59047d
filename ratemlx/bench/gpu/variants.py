"""Variants of one kernel that compute the same, and the time that each takes: what a GPU likes is found by trying.

A variant is one batch on a device, driven chunk by chunk as the engine does; samples reach the host and are left there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ratemlx.abi import BLOCK_SIZES, Form, HistoryPrecision, definitions, usual_form
from ratemlx.runtime.batch import Chunk, RunningBatch, SpeedGroupArrays
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.edges import split_own
from ratemlx.runtime.plan import BatchPlan, Limits, SpeedGroup, make_plan, ring_length
from ratemlx.runtime.spec import Job

MEMORY_SHARE = 0.9
LANES = 32
WARPS = "RATEMLX_WARPS"
"""The definition by which a kernel leaves room for so many warps of a multiprocessor."""


@dataclass(frozen=True)
class Variant:
    """What may differ without another result but for rounding.

    `block` is the plan's if None, `form` the one that a run takes, `warps` the generator's.

    `history` and `fast_math` do change results within their error bounds, and are never the default.
    """

    lanes: int = LANES
    block: int | None = None
    form: Form | None = None
    warps: int | None = None
    history: HistoryPrecision | None = None
    fast_math: bool = False

    @property
    def exact(self) -> bool:
        """Whether it computes what the default computes."""
        return self.history is None and not self.fast_math

    def __str__(self) -> str:
        changed = {name: value for name, value in asdict(self).items() if value != getattr(DEFAULT, name)}
        return ", ".join(f"{name} {value}" for name, value in changed.items()) or "default"


DEFAULT = Variant()


@dataclass(frozen=True)
class Timing:
    """Seconds of one run, how many instances diverged in it, and bytes of the device: as planned, and as it says."""

    seconds: float
    diverged: int
    planned_bytes: int
    used_bytes: int


def variants_to_try(precision: str, largest_block: int, coupled_by_steps: bool = False) -> Iterator[Variant]:
    """One knob at a time, the other form of launches too; the default is the first."""
    yield DEFAULT
    for lanes in (64, 128):
        yield Variant(lanes=lanes)
    for block in (size for size in BLOCK_SIZES if 4 <= size < largest_block):
        yield Variant(block=block)
    if not coupled_by_steps:
        yield Variant(form="block" if usual_form(largest_block) == "tile" else "tile")
    for warps in (8, 12, 16, 24):
        yield Variant(warps=warps)
    if precision == "float32":
        yield Variant(fast_math=True)
        yield Variant(history="float16")
        yield Variant(history="bfloat16")


def batch_of(job: Job, variant: Variant, device: Device) -> BatchPlan:
    """All instances of a job of one speed as one batch; raises SweepError if they do not fit."""
    limits = Limits(
        variant.lanes, device.workers, device.free_bytes(), 1e12, job.sweep.n_instances,
        share=MEMORY_SHARE, holds_results=False,
    )  # fmt: skip
    plan = make_plan(
        job.manifest,
        job.edges,
        job.timing,
        job.parameters.speeds,
        precision=job.spec.precision,
        n_observed=len(job.observed),
        limits=limits,
    )
    (batch,) = plan.batches
    if variant.block in (None, batch.group.block):
        return batch
    assert variant.block is not None
    return replace(batch, group=with_block(job, batch.group, variant.block))


def with_block(job: Job, group: SpeedGroup, block: int) -> SpeedGroup:
    """A speed group that is advanced by fewer steps at once than its delays allow."""
    assert block <= group.block
    longest = int(group.delays.max()) if group.delays.size else 0
    ahead, own = split_own(job.edges, group.delays, block if job.manifest.gather == "block" else 1)
    return replace(group, ahead=ahead, own=own, block=block, ring_rows=ring_length(longest, block))


def definitions_of(job: Job, variant: Variant, block: int) -> dict[str, str]:
    """The preprocessor definitions of a variant of a job's kernel."""
    chosen = definitions(
        job.manifest,
        lanes=variant.lanes,
        block=block,
        precision=job.spec.precision,
        integrator=job.spec.integrator,
        noise=job.spec.noise,
        observe=job.observed,
        constants=job.constants,
        history=variant.history,
        form=variant.form or usual_form(block),
        fast_math=variant.fast_math,
    )
    return chosen if variant.warps is None else chosen | {WARPS: str(variant.warps)}


def time_variant(job: Job, variant: Variant, device: Device) -> Timing:
    """Run a job once; compiling and the first chunk's set-up are not counted. Raises RatemlxError."""
    batch = batch_of(job, variant, device)
    kernel = device.load(Path(job.spec.folder), job.manifest, definitions_of(job, variant, batch.group.block))
    free = device.free_bytes()
    arrays = SpeedGroupArrays(job, batch.group, device)
    running = _ToHost(job, batch, variant.lanes, arrays, kernel, device)
    device.synchronize()
    used = free - device.free_bytes()
    started, pending = time.perf_counter(), None
    while running.running:
        chunk = running.advance(running.longest_chunk)
        if pending is not None:
            running.collect(pending)
        pending = chunk
    if pending is not None:
        running.collect(pending)
    device.synchronize()
    seconds = time.perf_counter() - started
    return Timing(seconds, int((running.finish().diverged_at >= 0).sum()), batch.memory, used)


class _ToHost(RunningBatch):
    """A batch whose samples reach the host's memory, where nobody sorts or keeps them."""

    @property
    def series_shape(self) -> tuple[int, int, int, int]:
        """No room for series, but not none: without any, samples would stay on the device."""
        return 0, 0, 0, 0

    def collect(self, chunk: Chunk) -> None:
        """Wait for a chunk."""
        chunk.arriving.result()
