"""One work on one device: its rate, variants of its kernel, and the share of the roofline that it reaches.

Steps shrink where time is short, and the result says so; a step costs the same at any time of a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ratemlx.bench.gpu.roofline import counts_of, issue_bound, kernel_roofline
from ratemlx.bench.gpu.variants import DEFAULT, Timing, Variant, batch_of, definitions_of, time_variant, variants_to_try
from ratemlx.bench.gpu.works import STEPS_PER_SAMPLE, Work, job_of
from ratemlx.cluster.hardware import Gpu
from ratemlx.errors import RatemlxError
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.devices.cuda_compile import compile_for
from ratemlx.runtime.spec import Job

PROBE_STEPS = 200
TUNING_SHARE = 0.4
"""Part of a work's time that its variants get together."""


@dataclass(frozen=True)
class Tried:
    """A variant with its rate in node-steps per second, or why it did not run."""

    variant: Variant
    rate: float | None
    note: str = ""


@dataclass(frozen=True)
class Roof:
    """Costs of a node-step and the rates that they allow; `counted` says by what operations were counted."""

    counted: str
    operations: float
    bytes: float
    by_arithmetic: float
    by_memory: float
    by_issue: float
    bound: str
    share: float
    share_of_issue: float


@dataclass(frozen=True)
class Measured:
    """A work's result; rates in node-steps per second, `seconds` of all steps that were run, best of `repeats`."""

    work: Work
    regions: int
    steps: int
    seconds: tuple[float, ...]
    diverged: int
    bytes_per_instance: float
    tried: tuple[Tried, ...]
    roof: Roof | None
    notes: tuple[str, ...] = field(default=())

    @property
    def rate(self) -> float:
        """Node-steps per second of the fastest run of the default kernel."""
        return self.work.instances * self.regions * self.steps / min(self.seconds)

    @property
    def best(self) -> Tried | None:
        """The fastest variant that computes what the default computes."""
        exact = [item for item in self.tried if item.rate and item.variant.exact]
        return max(exact, key=lambda item: item.rate or 0.0, default=None)

    def as_json(self) -> dict[str, object]:
        """Plain data, with all that is needed to read the figures."""
        return {
            **asdict(self.work),
            "regions": self.regions,
            "steps_wanted": self.work.steps,
            "steps": self.steps,
            "seconds": list(self.seconds),
            "node_steps_per_second": self.rate,
            "seconds_for_all_steps": self.work.instances * self.regions * self.work.steps / self.rate,
            "diverged": self.diverged,
            "bytes_per_instance": self.bytes_per_instance,
            "variants": [
                {
                    **asdict(item.variant),
                    "exact": item.variant.exact,
                    "node_steps_per_second": item.rate,
                    "note": item.note,
                }
                for item in self.tried
            ],
            "best_variant": str(self.best.variant) if self.best else None,
            "roofline": asdict(self.roof) if self.roof else None,
            "notes": list(self.notes),
        }


def measure_work(
    work: Work, device: Device, gpu: Gpu | None, *, seconds: float, repeats: int = 3, on_gpu: bool = True
) -> Measured:
    """Measure within about `seconds`; compiling comes on top. Raises RatemlxError if the default does not run.

    `gpu` is what the roofline is taken from; `on_gpu` is False where the device only plays one.
    """
    notes = []
    probe = _rate(work, PROBE_STEPS, DEFAULT, device)
    steps = _steps_within(work, probe[0], seconds * (1 - TUNING_SHARE) / repeats)
    if steps < work.steps:
        notes.append(f"{steps:,} of {work.steps:,} steps: time was short")
    runs = [_timed(work, steps, DEFAULT, device) for _ in range(repeats)]
    job = job_of(work, PROBE_STEPS)
    batch = batch_of(job, DEFAULT, device)
    regions = job.connectome.n_regions
    roof = None
    rate = work.instances * regions * steps / min(run.seconds for run in runs)
    try:
        roof = _roof(work, gpu, rate, device)
    except RatemlxError as error:
        notes.append(f"no roofline: {error.message}")
    tried = _tune(work, device, probe[0], seconds * TUNING_SHARE, gpu.architecture if gpu and on_gpu else None)
    return Measured(
        work,
        regions,
        steps,
        tuple(run.seconds for run in runs),
        max(run.diverged for run in runs),
        batch.memory / work.instances,
        tuple(tried),
        roof,
        tuple(notes),
    )


def _steps_within(work: Work, rate: float, seconds: float) -> int:
    """Whole samples that fit into a time; `rate` is in steps of all instances per second."""
    samples = int(rate * seconds) // STEPS_PER_SAMPLE
    return min(work.steps, max(PROBE_STEPS, samples * STEPS_PER_SAMPLE))


def _timed(work: Work, steps: int, variant: Variant, device: Device) -> Timing:
    return time_variant(job_of(work, steps), variant, device)


def _rate(work: Work, steps: int, variant: Variant, device: Device) -> tuple[float, Timing]:
    """Steps of all instances per second; the first of two runs loads the kernel and warms up."""
    _timed(work, steps, variant, device)
    timing = _timed(work, steps, variant, device)
    return steps / timing.seconds, timing


def _compile_ahead(job: Job, block: int, variants: Sequence[Variant], architecture: str) -> None:
    """Put all variants into the cache, side by side; one that does not compile is told of when its turn comes."""

    def compile_one(variant: Variant) -> None:
        with suppress(RatemlxError):
            compile_for(Path(job.spec.folder), architecture, definitions_of(job, variant, variant.block or block))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, variants))


def _tune(work: Work, device: Device, rate: float, seconds: float, architecture: str | None) -> Iterator[Tried]:
    """Variants, each for its part of the time, until it is over; compiled ahead for a GPU's architecture."""
    job = job_of(work, PROBE_STEPS)
    block = batch_of(job, DEFAULT, device).group.block
    variants = list(variants_to_try(work.precision, block, job.manifest.gather == "step"))
    steps = _steps_within(work, rate, seconds / (2 * len(variants)))
    if architecture is not None:
        _compile_ahead(job, block, variants, architecture)
    finish = time.perf_counter() + 2 * seconds
    for variant in variants:
        if time.perf_counter() > finish:
            yield Tried(variant, None, "time was over")
            continue
        try:
            per_second, timing = _rate(work, steps, variant, device)
        except RatemlxError as error:
            yield Tried(variant, None, error.message.splitlines()[0])
            continue
        note = f"{timing.diverged} instances diverged" if timing.diverged else ""
        yield Tried(variant, per_second * work.instances * job.connectome.n_regions, note)


def _roof(work: Work, gpu: Gpu | None, rate: float, device: Device) -> Roof | None:
    if gpu is None:
        return None
    job = job_of(work, PROBE_STEPS)
    group = batch_of(job, DEFAULT, device).group
    counts = counts_of(job, group, gpu.architecture)
    line, issue = kernel_roofline(counts, job, group, gpu), issue_bound(counts, job, group, gpu)
    return Roof(
        f"machine code for {gpu.architecture}",
        line.operations,
        line.bytes,
        line.by_arithmetic,
        line.by_memory,
        issue,
        line.bound,
        line.share(rate),
        rate / issue,
    )
