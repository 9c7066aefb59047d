"""What is made of samples, beside the simulation that they come from: metrics of series, and streamed observables.

On a GPU metrics are computed by CuPy where it is installed, by the host's cores otherwise; the result says which.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ratemlx.bench.gpu.works import Work, job_of
from ratemlx.observables.settings import BoldSettings
from ratemlx.runtime.analysis import Analysis
from ratemlx.runtime.batch import BatchResult, Place
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.devices.cpu import available_threads
from ratemlx.runtime.engine import Engine, Hooks
from ratemlx.runtime.limits import analyses_on_device, common_limits
from ratemlx.runtime.outputs import Outputs
from ratemlx.runtime.plan import make_plan
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import Job
from ratemlx.runtime.world import open_world

CHOICES: dict[str, Outputs] = {
    "table2": Outputs(metrics=("table2",), keep="none"),
    "streamed_fc": Outputs(metrics=("mean_FC", "mean_FR"), keep="none"),
    "bold": Outputs(bold=BoldSettings(TR=100.0), keep="none"),
}
"""The metrics of the paper's Table 2, of series; connectivity and BOLD of what streams through the device."""
INSTANCES = 1024
STEPS = 40_000
"""4 s: what the slowest oscillations in the metrics need."""


@dataclass(frozen=True)
class Spent:
    """Seconds of a sweep: of its simulation with what streams, and of the metrics afterwards; and where these ran."""

    instances: int
    steps: int
    simulation: float
    analysis: float
    on_device: bool


def measure_analysis(work: Work, device: Device, name: str) -> dict[str, object]:
    """Seconds of simulation alone, and of simulation and analysis with each choice; `name` is how the device is asked
    for. Raises RatemlxError.
    """
    smaller = work.shrunk(INSTANCES, STEPS)
    job = job_of(smaller, smaller.steps)
    job = replace(job, spec=replace(job.spec, device=name))
    alone = _spend(job, device, None)
    found: dict[str, object] = {
        "instances": alone.instances,
        "steps": alone.steps,
        "simulation_alone": alone.simulation,
    }
    for key, outputs in CHOICES.items():
        spent = _spend(job, device, outputs)
        found[key] = {
            "simulation_seconds": spent.simulation,
            "analysis_seconds": spent.analysis,
            "analysis_over_simulation": spent.analysis / spent.simulation,
            "observables_over_simulation": max(0.0, spent.simulation / alone.simulation - 1),
            "metrics_computed_on": "device" if spent.on_device else "host",
        }
    return found


def _spend(job: Job, device: Device, outputs: Outputs | None) -> Spent:
    """The second of two runs, for the first loads and warms up."""
    chosen = replace(job, spec=replace(job.spec, outputs=outputs or Outputs(keep="none")))
    _once(chosen, device)
    return _once(chosen, device)


def _once(job: Job, device: Device) -> Spent:
    limits = common_limits(job, device, open_world())
    analysis = Analysis(job, limits.lanes, available_threads())
    plan = make_plan(
        job.manifest,
        job.edges,
        job.timing,
        job.parameters.speeds,
        precision=job.spec.precision,
        n_observed=len(job.observed),
        limits=limits,
        observer_bytes=analysis.bytes_per_instance,
        keeps_series=analysis.needs_series,
    )
    there = analyses_on_device(job, device)
    spent: list[float] = []

    def keep(batch: BatchResult) -> None:
        begun = time.perf_counter()
        analysis.evaluate(batch)
        spent.append(time.perf_counter() - begun)

    place: Place | None = ("device" if there else "host") if analysis.needs_series else None
    hooks = Hooks(keep, observers=analysis.observers_on(device), series=place)
    engine = Engine(job, plan, device, hooks, Progress())
    engine.run(plan.waves)
    return Spent(job.sweep.n_instances, job.timing.n_steps, engine.seconds - sum(spent), sum(spent), there)
