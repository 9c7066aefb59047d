"""What a sweep would cost on a GPU or a cluster of the catalogue: instances that fit, batches, time, shards, database.

Estimated from data sheets, not measured; every text says so. Opens no device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ratemlx.cluster.hardware import Cluster, Gpu
from ratemlx.cluster.roofline import Network, Roofline, counted_roofline
from ratemlx.runtime.analysis import Analysis
from ratemlx.runtime.arrays import Floats
from ratemlx.runtime.plan import ITEM_BYTES, SAMPLE_BUFFERS, Limits, Plan, SpeedGroup, make_plan
from ratemlx.runtime.sizes import Sizes
from ratemlx.runtime.spec import Job
from ratemlx.store.database_size import DatabaseColumns

EFFICIENCY = 0.4
"""Part of the roofline that a full GPU is taken to reach; an aim of the kernels, to be replaced by measurements."""
LANES = 32
"""Threads of a block: a warp."""
WARPS_TO_FILL = 8
"""Warps per multiprocessor that hide latencies; fewer run that much slower."""
PAPER_VARIED = 5
"""Parameters of the paper's sweep, which are taken to vary where only a number of instances is given."""
USABLE_SHARE = 0.9
"""Part of a GPU's memory that batches may take; the rest is the driver's, the edges', and samples' on their way."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A sweep on `ranks` GPUs; `plan` is of one rank's share, the largest."""

    gpu: Gpu
    ranks: int
    n_instances: int
    plan: Plan
    roofline: Roofline
    efficiency: float
    fitting: dict[float, int]
    columns: DatabaseColumns
    keeps_series: bool

    @property
    def rate(self) -> float:
        """Node-steps per second of a full GPU."""
        return self.efficiency * self.roofline.attainable

    @property
    def seconds(self) -> float:
        """Time of the largest share; waves that do not fill the GPU run slower."""
        return sum(self._wave_seconds(index) for index in range(len(self.plan.waves)))

    @property
    def bytes_per_instance(self) -> float:
        """Device memory of an instance of the largest batch, its part of the waiting samples included."""
        largest = max(self.plan.batches, key=lambda batch: batch.memory)
        return largest.memory / (largest.tiles(LANES) * LANES)

    @property
    def shards(self) -> int:
        """Files that all ranks write, one per batch."""
        return self.ranks * len(self.plan.batches)

    @property
    def database_bytes(self) -> float:
        """Size of the database of all instances."""
        return self.columns.bytes(self.n_instances)

    def _wave_seconds(self, index: int) -> float:
        plan = self.plan
        tiles = sum(batch.tiles(LANES) for batch in plan.waves[index])
        filled = min(1.0, tiles * plan.n_regions / (WARPS_TO_FILL * self.gpu.multiprocessors))
        return tiles * LANES * plan.n_regions * plan.timing.n_steps / (self.rate * filled)


def predict(
    job: Job,
    gpu: Gpu,
    *,
    cluster: Cluster | None = None,
    n_instances: int | None = None,
    efficiency: float = EFFICIENCY,
) -> Prediction:
    """Plan a job for a GPU, or for all of a cluster; raises SweepError if not even one tile fits.

    With `n_instances`, so many instances of the job's first point are taken instead of its sweep.
    """
    speeds = job.parameters.speeds
    count = len(speeds) if n_instances is None else n_instances
    ranks = min(cluster.ranks, count) if cluster else 1
    # Sorted, so that the share has of every speed what all ranks have.
    share = np.sort(speeds)[::ranks] if n_instances is None else np.full(math.ceil(count / ranks), speeds[0])
    analysis = Analysis(job, LANES)
    first = _plan(job, gpu, share[:1], analysis, rate=1.0)
    found = counted_roofline(gpu, job.manifest, network_of(job, first.groups[0]))
    plan = _plan(job, gpu, share, analysis, rate=efficiency * found.attainable)
    fitting = {group.speed: _fitting(job, gpu, group, analysis) for group in plan.groups}
    varied = len(job.sweep.names) if n_instances is None else PAPER_VARIED
    return Prediction(
        gpu, ranks, count, plan, found, efficiency, fitting, _columns(analysis, varied), analysis.keep.which == "all"
    )


def network_of(job: Job, group: SpeedGroup) -> Network:
    """The sizes of a job that a roofline depends on."""
    return Network(
        n_regions=job.connectome.n_regions,
        n_edges=len(job.edges),
        n_observed=len(job.observed),
        block=group.block,
        steps_per_sample=job.timing.steps_per_sample,
        precision=job.spec.precision,
        noise=job.spec.noise,
    )


def _limits(job: Job, gpu: Gpu, rate: float) -> Limits:
    blocks = WARPS_TO_FILL * gpu.multiprocessors
    return Limits(
        lanes=LANES,
        workers=math.ceil(blocks / job.connectome.n_regions),
        free_bytes=int(gpu.memory),
        rate=rate,
        batch_size=job.spec.batch_size,
        share=USABLE_SHARE,
        holds_results=False,
    )


def _columns(analysis: Analysis, varied: int) -> DatabaseColumns:
    catalogue = analysis.catalogue
    regional = [item for item in catalogue.metrics if item.regional]
    return DatabaseColumns(
        parameters=len(catalogue.parameters),
        metrics=len(catalogue.metrics) - len(regional),
        varied=varied,
        regional=len(regional),
        regions=len(catalogue.regions),
        ranked=catalogue.ranking is not None,
    )


def _plan(job: Job, gpu: Gpu, speeds: Floats, analysis: Analysis, rate: float) -> Plan:
    return make_plan(
        job.manifest,
        job.edges,
        job.timing,
        speeds,
        precision=job.spec.precision,
        n_observed=len(job.observed),
        limits=_limits(job, gpu, rate),
        observer_bytes=analysis.bytes_per_instance,
        keeps_series=analysis.needs_series,
    )


def _fitting(job: Job, gpu: Gpu, group: SpeedGroup, analysis: Analysis) -> int:
    """Instances that fit side by side, with as few waiting samples as a call of one block needs."""
    limits = _limits(job, gpu, 1.0)
    sizes = Sizes(
        job.manifest,
        job.connectome.n_regions,
        len(job.observed),
        ITEM_BYTES[job.spec.precision],
        job.timing,
        analysis.bytes_per_instance,
    )
    samples = SAMPLE_BUFFERS * sizes.least_samples(group.block) * sizes.sample
    each = sizes.instance(group.ring_rows, group.block, limits.holds_results) + samples
    return int(limits.usable_bytes // (LANES * each)) * LANES
