"""The plan: instances grouped by conduction speed and cut into batches that fit a device, known before anything runs.

Pure arithmetic over sizes; touches no device and no file.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ratemlx.abi import BLOCK_SIZES, HistoryPrecision, Manifest, Precision, history_bytes
from ratemlx.errors import DeviceError, SweepError
from ratemlx.runtime.arrays import Floats, Int32s, Int64s, bytes_text
from ratemlx.runtime.edges import Edges, Gathered, delays, from_itself, split_own
from ratemlx.runtime.sizes import Sizes
from ratemlx.runtime.timing import Timing

MEMORY_SHARE = 0.5
"""Part of a device's free memory that batches may take, unless a device says otherwise."""
SAMPLE_BUFFERS = 2
"""One is filled while the other is read."""
BATCH_SECONDS = 20.0
"""A batch is what is lost when a run is killed, so it is not made longer than this on purpose."""
SHARES_PER_RANK = 4
"""Batches that several ranks make of a sweep each, so that they end together."""
CHUNK_BYTES = 64 << 20
"""Room for samples that wait on the device for collection."""
LOOKED_AT_BYTES = 64 << 20
"""Series that a batch gathers on a CPU where they are looked at and not kept: a small batch is soon looked at, and a
large sweep takes no more memory than a small one."""
ITEM_BYTES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Limits:
    """What a device offers: lanes of a tile, tiles at once, free bytes, node-steps per second altogether.

    `share` is the part of the free bytes that batches may take; `holds_results` tells whether a batch's series gather
    in the same memory, as they do on a CPU. Elsewhere `host_bytes` are free for them (None: any number). Of series a
    batch gathers at most `series_bytes` (None: any number), or what keeps all workers busy. All of this is one rank's;
    `ranks` share the work. `measured` tells whether the rate comes from an earlier run.
    """

    lanes: int
    workers: int
    free_bytes: int
    rate: float
    batch_size: int | None = None
    share: float = MEMORY_SHARE
    holds_results: bool = True
    host_bytes: int | None = None
    series_bytes: int | None = None
    ranks: int = 1
    measured: bool = True

    @property
    def usable_bytes(self) -> float:
        """Bytes that batches may take."""
        return self.share * self.free_bytes


@dataclass(frozen=True, eq=False)
class SpeedGroup:
    """Instances of one conduction speed (mm/ms): they share delays (steps, per edge), block size and ring length.

    `ahead` are the edges that a kernel gathers for a whole block, `own` those that it adds step by step.
    """

    speed: float
    delays: Int32s
    ahead: Gathered
    own: Gathered
    block: int
    ring_rows: int
    instances: Int64s


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """One unit of computing and of saving: some instances of one speed group.

    `chunk_samples` are collected at once; `memory` is in bytes on the device, `result_bytes` for its series.
    """

    group: SpeedGroup
    instances: Int64s
    chunk_samples: int
    memory: int
    result_bytes: int

    def tiles(self, lanes: int) -> int:
        """Tiles of `lanes` instances, the last one padded."""
        return math.ceil(len(self.instances) / lanes)


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that will run, in order, with what it costs; batches of one wave run side by side."""

    groups: tuple[SpeedGroup, ...]
    waves: tuple[tuple[BatchPlan, ...], ...]
    timing: Timing
    limits: Limits
    n_regions: int
    n_observed: int
    result_bytes: int

    @property
    def batches(self) -> tuple[BatchPlan, ...]:
        """All batches in the order of waves."""
        return tuple(batch for wave in self.waves for batch in wave)

    @property
    def batch_bytes(self) -> int:
        """Bytes that the batches of the largest wave take together."""
        return max((sum(batch.memory for batch in wave) for wave in self.waves), default=0)

    @property
    def n_instances(self) -> int:
        """Instances to run."""
        return sum(len(batch.instances) for batch in self.batches)

    @property
    def node_steps(self) -> int:
        """Work: regions times steps times instances, padding included."""
        return sum(self.work_of(wave) for wave in self.waves)

    @property
    def digest(self) -> str:
        """A hash of all waves, for ranks that must have made the same plan."""
        found = hashlib.blake2b(digest_size=16)
        for number, wave in enumerate(self.waves):
            for batch in wave:
                found.update(f"{number} {batch.group.speed!r} {len(batch.instances)} ".encode())
                found.update(batch.instances.tobytes())
        return found.hexdigest()

    def work_of(self, wave: tuple[BatchPlan, ...]) -> int:
        """Regions times steps times instances of a wave, padding included."""
        tiles = sum(batch.tiles(self.limits.lanes) for batch in wave)
        return tiles * self.limits.lanes * self.n_regions * self.timing.n_steps

    @property
    def seconds(self) -> float:
        """Estimated time."""
        return self.node_steps / self.limits.rate / self.limits.ranks


def make_plan(
    manifest: Manifest,
    edges: Edges,
    timing: Timing,
    speeds: Floats,
    *,
    precision: Precision,
    n_observed: int,
    limits: Limits,
    pending: Int64s | None = None,
    observer_bytes: int = 0,
    keeps_series: bool = True,
    history: HistoryPrecision | None = None,
) -> Plan:
    """Group and cut the `pending` instances (all of them if None); raises SweepError for what does not fit in memory.

    `speeds` has the conduction speed (mm/ms) of every instance; `observer_bytes` is what observables take of the device
    for one instance, and `keeps_series` whether its time series are brought to the host.
    """
    n_regions = len(edges.begin) - 1
    chosen = np.arange(len(speeds)) if pending is None else pending
    groups = tuple(speed_groups(manifest, edges, timing, speeds, chosen))
    sizes = Sizes(
        manifest,
        n_regions,
        n_observed,
        ITEM_BYTES[precision],
        timing,
        observer_bytes,
        keeps_series,
        history_bytes(precision, history),
    )
    batches = [batch for group in groups for batch in _cut(group, sizes, limits, timing)]
    waves = tuple(_waves(batches, limits))
    return Plan(groups, waves, timing, limits, n_regions, n_observed, len(chosen) * sizes.result)


def block_size(shortest_delay: int) -> int:
    """Most steps that need nothing of each other: all that they read lies at or before the block's first state."""
    return next(size for size in BLOCK_SIZES if size <= shortest_delay + 1)


def ring_length(longest_delay: int, block: int) -> int:
    """Rows of a ring: the delays, the block being written and the state before it, in whole blocks."""
    return math.ceil((longest_delay + 1 + block) / block) * block


def speed_groups(
    manifest: Manifest, edges: Edges, timing: Timing, speeds: Floats, chosen: Int64s
) -> Iterator[SpeedGroup]:
    """The `chosen` instances by their conduction speeds (mm/ms), of which `speeds` has that of every instance."""
    # A model without delays is the same at any speed: all its instances are one group.
    effective = speeds[chosen] if manifest.uses_delays else np.zeros(len(chosen))
    values, member = np.unique(effective, return_inverse=True)
    order = np.argsort(member, kind="stable")
    bounds = np.searchsorted(member[order], np.arange(len(values) + 1))
    for index, speed in enumerate(values.tolist()):
        instances = chosen[order[bounds[index] : bounds[index + 1]]]
        steps = delays(edges, speed, timing.dt) if manifest.uses_delays else np.zeros(len(edges), dtype=np.int32)
        coupled = manifest.channels > 0 and steps.size > 0
        between = steps[~from_itself(edges)]
        block = block_size(int(between.min())) if coupled and between.size else BLOCK_SIZES[0]
        rows = ring_length(int(steps.max()) if coupled else 0, block)
        ahead, own = split_own(edges, steps, block if manifest.gather == "block" else 1)
        yield SpeedGroup(speed, steps, ahead, own, block, rows, instances)


def _cut(group: SpeedGroup, sizes: Sizes, limits: Limits, timing: Timing) -> list[BatchPlan]:
    size = _batch_size(group, sizes, limits, timing)
    least = sizes.least_samples(group.block)
    full = math.ceil(min(size, len(group.instances)) / limits.lanes) * limits.lanes
    room = CHUNK_BYTES // (full * sizes.sample)
    chunk = max(least, min(room, timing.n_samples + 2))
    cut = []
    for first in range(0, len(group.instances), size):
        instances = group.instances[first : first + size]
        padded = math.ceil(len(instances) / limits.lanes) * limits.lanes
        waiting = SAMPLE_BUFFERS * chunk * sizes.sample
        memory = padded * (sizes.instance(group.ring_rows, group.block, limits.holds_results) + waiting)
        cut.append(BatchPlan(group, instances, chunk, memory, len(instances) * sizes.result))
    return cut


def _waves(batches: Sequence[BatchPlan], limits: Limits) -> Iterator[tuple[BatchPlan, ...]]:
    """Batches that are too small to keep a device busy, put together as far as workers and memory go.

    A sweep of conduction speeds has many small batches, for each speed has its own delays.
    """
    wave: list[BatchPlan] = []
    for batch in batches:
        together = [*wave, batch]
        tiles = sum(item.tiles(limits.lanes) for item in together)
        if wave and (tiles > limits.workers or not _fit(together, limits)):
            yield tuple(wave)
            together = [batch]
        wave = together
    if wave:
        yield tuple(wave)


def _fit(batches: Sequence[BatchPlan], limits: Limits) -> bool:
    """Whether batches fit into memory side by side."""
    if sum(item.memory for item in batches) > limits.usable_bytes:
        return False
    return limits.host_bytes is None or sum(item.result_bytes for item in batches) <= MEMORY_SHARE * limits.host_bytes


def _batch_size(group: SpeedGroup, sizes: Sizes, limits: Limits, timing: Timing) -> int:
    """Instances of a batch: as asked for, or what fits into memory and into BATCH_SECONDS."""
    tile = limits.lanes * (
        sizes.instance(group.ring_rows, group.block, limits.holds_results)
        + SAMPLE_BUFFERS * sizes.least_samples(group.block) * sizes.sample
    )
    fitting = int(limits.usable_bytes) // tile
    if fitting < 1:
        raise _too_large(group, limits, tile)
    if limits.host_bytes is not None and sizes.result:
        fitting = max(1, min(fitting, int(MEMORY_SHARE * limits.host_bytes) // (limits.lanes * sizes.result)))
    if limits.batch_size is not None:
        if limits.batch_size < 1:
            raise SweepError(f"a batch needs at least one instance; {limits.batch_size} were asked for")
        if limits.batch_size > fitting * limits.lanes:
            raise SweepError(
                f"batches of {limits.batch_size:,} instances need more memory than there is",
                f"at most {fitting * limits.lanes:,} fit",
            )
        return limits.batch_size
    fair = math.ceil(len(group.instances) / (limits.lanes * limits.ranks * SHARES_PER_RANK))
    timely = BATCH_SECONDS * limits.rate / (limits.lanes * sizes.n_regions * timing.n_steps)
    tiles = max(limits.workers, int(timely) // limits.workers * limits.workers)
    if limits.series_bytes is not None and sizes.result:
        few = limits.series_bytes // (limits.lanes * sizes.result)
        tiles = min(tiles, max(limits.workers, few // limits.workers * limits.workers))
    if limits.ranks > 1:
        tiles = min(tiles, max(limits.workers, fair))
    return min(tiles, fitting) * limits.lanes


def _too_large(group: SpeedGroup, limits: Limits, tile: int) -> SweepError:
    speed = f" at a conduction speed of {group.speed:g} mm/ms" if group.speed else ""
    return SweepError(
        f"{limits.lanes} instances{speed} need {bytes_text(tile)} (a history of {group.ring_rows:,} steps);"
        f" {bytes_text(limits.usable_bytes)} may be used",
        "use a higher speed, a larger dt, a shorter duration or a longer period",
    )


def check_result_fits(plan: Plan, free_bytes: int) -> None:
    """Refuse results that are to be kept in memory and do not fit there; raises DeviceError."""
    if plan.result_bytes > MEMORY_SHARE * free_bytes:
        raise DeviceError(
            f"the time series take {bytes_text(plan.result_bytes)}; {bytes_text(MEMORY_SHARE * free_bytes)} of memory"
            " may be used",
            "give an output folder (-o DIR), to which they are written batch by batch, or a longer period",
        )


def shortest_and_longest(groups: Sequence[SpeedGroup]) -> tuple[int, int]:
    """The shortest and the longest delay of all groups, in steps; (0, 0) without edges."""
    sizes = [group.delays for group in groups if group.delays.size]
    return (min(int(item.min()) for item in sizes), max(int(item.max()) for item in sizes)) if sizes else (0, 0)
