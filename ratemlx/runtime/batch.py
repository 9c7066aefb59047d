"""One batch on a device: its arrays in the kernel's layout, and advancing it chunk by chunk.

The only module that fills `abi.Batch`. Knows layout, and nothing of sweeps, files or what runs next.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ratemlx.abi import Batch, history_dtype
from ratemlx.observables.base import Observer
from ratemlx.runtime.arrays import AnyArray, Int32s, Int64s
from ratemlx.runtime.devices.base import Buffer, Device, Download, Kernel
from ratemlx.runtime.identity import identities
from ratemlx.runtime.plan import BatchPlan, SpeedGroup
from ratemlx.runtime.sorting import sort_samples
from ratemlx.runtime.spec import Job

Place = Literal["host", "device"]
"""Where the series of a batch are gathered."""


@dataclass(frozen=True, eq=False)
class BatchResult:
    """A finished batch: its instances, and for each the first step after which a state was not finite, or -1.

    `series` has shape (instance, exposure, time, region), and may lie on the device; it is None where nobody asked for
    it. `observed` has what the
    observers made of it, by name, instances first.
    """

    instances: Int64s
    series: AnyArray | None
    diverged_at: Int32s
    observed: Mapping[str, AnyArray]


class SpeedGroupArrays:
    """Edges of one speed group on a device, and what varies between regions and in time; shared by its batches."""

    def __init__(self, job: Job, group: SpeedGroup, device: Device) -> None:
        self.edge_begin = device.upload(group.ahead.edges.begin)
        self.edge_source = device.upload(group.ahead.edges.source)
        self.edge_delay = device.upload(group.ahead.delays)
        self.edge_weight = device.upload(group.ahead.edges.weight.astype(job.dtype))
        self.own_begin = device.upload(group.own.edges.begin)
        self.own_delay = device.upload(group.own.delays)
        self.own_weight = device.upload(group.own.edges.weight.astype(job.dtype))
        if job.regional is not None:
            self.regional = device.upload(job.regional.astype(job.dtype))
        if job.stimuli is not None:
            self.course = device.upload(job.stimuli.courses.astype(job.dtype))
            self.pattern = device.upload(job.stimuli.patterns.astype(job.dtype))


@dataclass(frozen=True, eq=False)
class Chunk:
    """What one call advances: steps, and samples `first` to `first + count` of the run, on their way to the host.

    `samples` is where they lie on the device. If they are not to leave it, `arriving` are the divergence steps, which
    arrive when the chunk is done.
    """

    steps: int
    first: int
    count: int
    samples: Buffer
    arriving: Download


class RunningBatch:
    """A batch between its start and its last step. Its chunks are begun one ahead of what is collected."""

    def __init__(
        self,
        job: Job,
        plan: BatchPlan,
        lanes: int,
        edges: SpeedGroupArrays,
        kernel: Kernel,
        device: Device,
        observers: Sequence[Observer] = (),
        *,
        series: Place | None = "host",
        threads: Executor | None = None,
    ) -> None:
        self.job, self.plan, self.lanes, self.kernel, self.device = job, plan, lanes, kernel, device
        self.steps_done = 0
        self._observers, self._queue = observers, device.queue()
        tiles, nodes, group = plan.tiles(lanes), job.connectome.n_regions, plan.group
        zeros = partial(device.allocate, dtype=job.dtype)
        manifest, observed = job.manifest, len(job.observed)
        # Two of them: one is filled while the other is read.
        self._samples = [zeros((tiles, plan.chunk_samples, observed, nodes, lanes)) for _ in range(2)]
        self._diverged = device.upload(np.full((tiles, lanes), -1, dtype=np.int32))
        # Buffers live as long as their Python objects, which the batch's addresses do not hold.
        self._buffers: dict[str, Buffer] = {
            **vars(edges),
            "parameters": device.upload(self._lanes_last(self._parameters())),
            "identity": device.upload(self._lanes_last(identities(job.parameters, plan.instances))),
            "state": device.upload(self._initial_state(tiles)),
            "history": device.allocate(
                (tiles, manifest.channels, nodes, group.ring_rows + group.block, lanes),
                np.dtype(history_dtype(job.spec.precision, job.spec.history)),
            ),
            "sums": zeros((tiles, observed, nodes, lanes)),
            "diverged_at": self._diverged,
        }
        self._batch = Batch(
            n_tiles=tiles,
            n_nodes=nodes,
            ring_rows=group.ring_rows,
            steps_per_sample=job.timing.steps_per_sample,
            n_samples=plan.chunk_samples,
            course_steps=job.timing.n_steps,
            seed=(ctypes.c_uint32 * 2)(job.spec.seed & 0xFFFFFFFF, job.spec.seed >> 32),
            dt=job.timing.dt,
            **{name: buffer.address for name, buffer in self._buffers.items()},
        )
        self._threads = threads if series == "host" else None
        self._place, self.series = series, self._empty_series(series)

    def _empty_series(self, place: Place | None) -> AnyArray | None:
        if place == "device":
            # Not memory of CuPy's own: what is short is told alike, and what a batch gives back the next one takes.
            return self.device.array(self.device.allocate(self.series_shape, self.job.dtype))
        return np.empty(self.series_shape, dtype=self.job.dtype) if place else None

    def start(self) -> None:
        """Begin to fill histories; the caller holds this object by now, for kernels write to its memory."""
        self.kernel.start(self._batch, self._queue)

    @property
    def longest_chunk(self) -> int:
        """Most steps of one call whose samples fit into the room there is."""
        block, per_sample = self.plan.group.block, self.job.timing.steps_per_sample
        return max(block, (self.plan.chunk_samples - 1) * per_sample // block * block)

    @property
    def series_shape(self) -> tuple[int, int, int, int]:
        """Shape of all its samples: (instance, exposure, sample, region)."""
        job = self.job
        return len(self.plan.instances), len(job.observed), job.timing.n_samples, job.connectome.n_regions

    @property
    def running(self) -> bool:
        """Whether there are steps left."""
        return self.steps_done < self.job.timing.n_steps

    def advance(self, steps: int) -> Chunk:
        """Begin about `steps` more: whole blocks, within `longest_chunk` and the run.

        The chunk before the last one must have been collected.
        """
        block, per_sample = self.plan.group.block, self.job.timing.steps_per_sample
        whole = max(block, min(steps, self.longest_chunk) // block * block)
        steps = min(whole, self.job.timing.n_steps - self.steps_done)
        first = self.steps_done // per_sample
        samples = self._samples[0]
        self._samples.reverse()
        self._batch.first_step, self._batch.n_steps, self._batch.first_sample = self.steps_done, steps, first
        self._batch.samples = samples.address
        self.kernel.advance(self._batch, self._queue)
        self.steps_done += steps
        count = self.steps_done // per_sample - first
        for observer in self._observers:
            observer.take(samples, first, count, self._queue)
        arriving = self._queue.download(samples if self._place == "host" else self._diverged)
        return Chunk(steps, first, count, samples, arriving)

    def collect(self, chunk: Chunk) -> None:
        """Wait for a chunk and put its samples into `series`."""
        arrived = chunk.arriving.result()
        if self.series is not None:
            if self._place == "device":
                shared = self.device.array(chunk.samples)
                assert shared is not None
                arrived = shared
            sort_samples(arrived[:, : chunk.count], self.series, chunk.first, self._threads)

    def finish(self) -> BatchResult:
        """What it gave, when all chunks have been collected."""
        diverged_at = self._queue.download(self._diverged).result()
        found = {name: array for item in self._observers for name, array in item.finish(self._queue).items()}
        return BatchResult(
            self.plan.instances,
            self.series,
            diverged_at.reshape(-1)[: len(self.plan.instances)].astype(np.int32),
            found,
        )

    def _parameters(self) -> AnyArray:
        names = tuple(info.name for info in self.job.manifest.parameters)
        rows = self.job.parameters.rows(names, self.plan.instances)
        return rows.reshape(len(self.plan.instances), len(names)).astype(self.job.dtype)

    def _lanes_last(self, rows: AnyArray) -> AnyArray:
        """(instance, value) to [tile][value][lane]; the last tile is filled up with its last instance."""
        tiles = self.plan.tiles(self.lanes)
        missing = tiles * self.lanes - len(rows)
        padded = np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
        return np.ascontiguousarray(padded.reshape(tiles, self.lanes, rows.shape[1]).transpose(0, 2, 1))

    def _initial_state(self, tiles: int) -> AnyArray:
        state = self.job.initial.astype(self.job.dtype)
        return np.broadcast_to(state[None, :, :, None], (tiles, *state.shape, self.lanes))
