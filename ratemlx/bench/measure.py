"""How fast a generated kernel is: node-steps per second, by thread.

A node-step is one region advanced by one time step. Compilation is not counted; everything else of a run is: setting
up, stepping, averaging, and collecting the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from ratemlx.abi import Integrator, Manifest, Precision
from ratemlx.runtime import Connectome, RunSpec
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.engine import Hooks, run_plan
from ratemlx.runtime.plan import ITEM_BYTES, Limits, Plan, make_plan
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import prepare


@dataclass(frozen=True)
class Workload:
    """What is measured: a sweep of `instances` over the model's first parameter with a range, for `steps` steps."""

    folder: Path
    instances: int = 64
    steps: int = 10_000
    dt: float = 0.1
    speed: float = 3.0
    threads: int = 1
    precision: Precision = "float32"
    noise: bool = True
    connectome: str | Connectome = "tvb:68"
    integrator: Integrator = "euler"

    def spec(self) -> RunSpec:
        """The run that does this work."""
        manifest = Manifest.load(self.folder)
        swept = next(item for item in manifest.parameters if item.range is not None)
        assert swept.range is not None
        values = np.linspace(*swept.range, self.instances)
        return RunSpec(
            folder=self.folder,
            connectome=self.connectome,
            sweep={swept.name: values},
            conduction_speed=self.speed,
            duration=self.steps * self.dt,
            dt=self.dt,
            period=10 * self.dt,
            precision=self.precision,
            noise=self.noise,
            integrator=self.integrator,
            observe=tuple(item.name for item in manifest.exposures[:2]),
            threads=self.threads,
            batch_size=self.instances,
        )


@dataclass(frozen=True)
class Measurement:
    """Seconds of several runs of a workload, and the memory that an instance takes."""

    workload: Workload
    seconds: tuple[float, ...]
    n_regions: int
    history_bytes: int
    batch_bytes: int

    @property
    def node_steps(self) -> int:
        """Work of one run."""
        return self.workload.instances * self.workload.steps * self.n_regions

    @property
    def rate(self) -> float:
        """Node-steps per second and thread, of the fastest run."""
        return self.node_steps / min(self.seconds) / self.workload.threads

    @property
    def median_rate(self) -> float:
        """Node-steps per second and thread, of the median run."""
        return self.node_steps / median(self.seconds) / self.workload.threads


def measure(workload: Workload, repeat: int = 3) -> Measurement:
    """Run a workload `repeat` times after a short run that compiles and warms up; raises RatemlxError."""
    _timed(replace(workload, steps=200))
    runs = [_timed(workload) for _ in range(repeat)]
    plan = runs[0][1]
    group = plan.groups[0]
    manifest = Manifest.load(workload.folder)
    history = manifest.channels * (group.ring_rows + group.block) * plan.n_regions * ITEM_BYTES[workload.precision]
    return Measurement(workload, tuple(seconds for seconds, _ in runs), plan.n_regions, history, plan.batch_bytes)


def _timed(workload: Workload) -> tuple[float, Plan]:
    job = prepare(workload.spec())
    device = open_device("cpu", workload.threads)
    try:
        limits = Limits(
            device.lanes(workload.precision), workload.threads, device.free_bytes(), 1e12, workload.instances
        )
        plan = make_plan(
            job.manifest,
            job.edges,
            job.timing,
            job.parameters.speeds,
            precision=workload.precision,
            n_observed=len(job.observed),
            limits=limits,
        )
        work = run_plan(job, plan, device, Hooks(keep=lambda _: None), Progress())
    finally:
        device.close()
    return plan.node_steps / work, plan
