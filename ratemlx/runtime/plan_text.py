"""The plan in words, printed before anything runs."""

from __future__ import annotations

import shlex

from ratemlx.runtime.arrays import bytes_text, seconds_text
from ratemlx.runtime.plan import Plan, shortest_and_longest
from ratemlx.runtime.rates import UNCERTAIN
from ratemlx.runtime.spec import Job


def describe(job: Job, plan: Plan, device_name: str, finished: int = 0) -> list[str]:
    """What will run and what it costs, in lines; `finished` instances are already there."""
    lines = [
        _what(job, device_name),
        _instances(job, plan, finished),
        _time(job, plan),
    ]
    if plan.batches:
        lines += [_network(job, plan), _cost(job, plan), *_idle_lanes(plan)]
    return lines + [f"warning: {remark}" for remark in job.warnings]


def _what(job: Job, device_name: str) -> str:
    connectome = job.connectome
    return (
        f"{job.manifest.model} on {connectome.name} ({connectome.n_regions} regions, {len(job.edges):,} tracts),"
        f" {job.spec.precision}, {job.spec.integrator}, on {device_name}"
    )


def _instances(job: Job, plan: Plan, finished: int) -> str:
    count = _count(job.sweep.n_instances, "instance")
    if job.sweep.kind == "table":
        swept = "table of " + ", ".join(job.sweep.names)
    else:
        swept = " x ".join(f"{axis.name} ({len(axis.values)})" for axis in job.sweep.axes)
    what = count + (f": {swept}" if swept else "")
    if job.spec.part is not None:
        return f"{what}; {_part(job.spec.part, plan.n_instances, finished)}"
    return what + (f"; {finished:,} finished before, {plan.n_instances:,} to run" if finished else "")


def _part(part: tuple[int, int], to_run: int, finished: int) -> str:
    """What of a sweep is a part's own, and what of that is left."""
    has = f"{_part_name(part)} has"
    if not to_run:
        own = f"{finished:,} of them, finished before" if finished else "none of them"
        return f"{has} {own}: nothing to do"
    before = f"{finished:,} finished before, " if finished else ""
    return f"{has} {finished + to_run:,} of them: {before}{to_run:,} to run"


def _part_name(part: tuple[int, int]) -> str:
    return f"part {part[0]}/{part[1]}"


def part_ended(job: Job) -> list[str]:
    """What is next when a part of a sweep is complete."""
    part, folder = job.spec.part, job.spec.output
    assert part is not None
    merge = shlex.join(["ratemlx", "merge", str(folder)])
    return [f"{_part_name(part)} is complete; this puts parts together, when all or some are: {merge}"]


def _time(job: Job, plan: Plan) -> str:
    times = plan.timing
    return (
        f"{times.duration:g} ms in {times.n_steps:,} steps of {times.dt:g} ms;"
        f" {_count(times.n_samples, 'sample')} of {times.period:g} ms of {', '.join(job.observed)}"
    )


def _network(job: Job, plan: Plan) -> str:
    blocks = sorted({group.block for group in plan.groups})
    sizes = f"{blocks[0]}" if len(blocks) == 1 else f"{blocks[0]} to {blocks[-1]}"
    if not job.manifest.uses_delays:
        return f"no delays; blocks of {sizes} steps"
    speeds = [group.speed for group in plan.groups]
    speed = f" {speeds[0]:g} mm/ms" if len(speeds) == 1 else f"s {min(speeds):g} to {max(speeds):g} mm/ms"
    many = "" if len(speeds) == 1 else f" ({len(speeds):,} values)"
    low, high = shortest_and_longest(plan.groups)
    return f"conduction speed{speed}{many}: delays of {low:,} to {high:,} steps, blocks of {sizes} steps"


def _cost(job: Job, plan: Plan) -> str:
    largest = max(len(batch.instances) for batch in plan.batches)
    batches = _count(len(plan.batches), "batch", "batches")
    kept = job.spec.outputs.kept.which
    results = f"results {bytes_text(plan.result_bytes)}" if kept == "all" else f"series kept: {kept}"
    return (
        f"{batches} of up to {largest:,}, {bytes_text(plan.batch_bytes)} of memory;"
        f" {results}; estimated time {_estimate(plan)}"
    )


def _estimate(plan: Plan) -> str:
    """The time of the work itself; a guess, with how wrong it may be, where nothing like it has run on this machine."""
    if plan.limits.measured:
        return seconds_text(plan.seconds)
    low, high = seconds_text(plan.seconds / UNCERTAIN), seconds_text(plan.seconds * UNCERTAIN)
    between = low if low == high else f"{low} to {high}"
    return f"{between}, a guess until something like it has run here, without compiling"


def _idle_lanes(plan: Plan) -> list[str]:
    """A remark when most of the work is padding, which many speeds with few instances each bring about."""
    lanes = plan.limits.lanes
    used = plan.n_instances / (lanes * sum(batch.tiles(lanes) for batch in plan.batches))
    if len(plan.groups) < 2 or used > 0.5:
        return []
    return [
        f"note: only {used:.0%} of the work is of use, for every conduction speed fills tiles of {lanes} instances of"
        " its own; sweep fewer speeds, or more of the rest"
    ]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
