"""What observables cost: simulations with each of them, and without any, one after the other.

`python -m ratemlx.bench.observables` prints microseconds of a core for each instance and ms of simulated time, and what
is added to the simulation's own. Choices take turns, and medians are printed of what the processor spent on this
process: other work of the machine disturbs the least so. No time series is brought to the host in any of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ratemlx.bench.measure import Workload
from ratemlx.load import load
from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import BoldSettings, ObservableSettings
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.engine import Hooks, run_plan
from ratemlx.runtime.plan import Limits, make_plan
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import Job, prepare
from ratemlx.targets import generate

CHOICES: Mapping[str, ObservableSettings | None] = {
    "none": None,
    "moments": ObservableSettings(fc=False),
    "moments and FC": ObservableSettings(),
    "BOLD": ObservableSettings(moments=False, fc=False, bold=BoldSettings(TR=100.0)),
    "BOLD, 4 ms steps": ObservableSettings(moments=False, fc=False, bold=BoldSettings(TR=100.0, step=4.0)),
}
"""What is compared; the first is what the others are compared with."""


@dataclass(frozen=True)
class Costs:
    """Microseconds of a core for each instance and ms, by choice, of every round."""

    workload: Workload
    exposures: int
    microseconds: Mapping[str, Sequence[float]]

    def typical(self, choice: str) -> float:
        """Microseconds of the median round."""
        return median(self.microseconds[choice])

    def added(self, choice: str) -> float:
        """Microseconds that a choice adds to the simulation of the same round, in the median."""
        pairs = zip(self.microseconds[choice], self.microseconds["none"], strict=True)
        return median(one - other for one, other in pairs)


def measure_observables(workload: Workload, repeat: int = 7) -> Costs:
    """Run a workload with each choice of observables, `repeat` times in turn; raises RatemlxError."""
    job = prepare(workload.spec())
    device = open_device("cpu", workload.threads)
    per = workload.instances * workload.steps * workload.dt * 1e-6
    try:
        seconds: dict[str, list[float]] = {name: [] for name in CHOICES}
        for _ in range(repeat + 1):
            for name, settings in CHOICES.items():
                seconds[name].append(_timed(job, device, settings, workload.threads))
    finally:
        device.close()
    # The first run of each compiles and warms up.
    return Costs(
        workload, len(job.observed), {name: [value / per for value in times[1:]] for name, times in seconds.items()}
    )


def _timed(job: Job, device: Device, settings: ObservableSettings | None, threads: int) -> float:
    """Seconds that all cores together spend on a run."""
    spec, times = job.spec, job.timing
    lanes = device.lanes(spec.precision)
    regions = job.connectome.n_regions
    layout = Layout(regions, job.observed, times.period, times.n_samples, lanes, job.dtype)
    observation = None if settings is None else Observation(settings, layout)
    plan = make_plan(
        job.manifest,
        job.edges,
        times,
        job.parameters.speeds,
        precision=spec.precision,
        n_observed=len(job.observed),
        limits=Limits(lanes, threads, device.free_bytes(), 1e12, spec.batch_size),
        observer_bytes=0 if observation is None else observation.bytes_per_instance,
        keeps_series=False,
    )
    make = None if observation is None else observation.open(device)
    hooks = Hooks(
        keep=lambda _: None,
        observers=lambda batch: () if make is None else make(len(batch.instances), batch.chunk_samples),
        series=None,
    )
    started = time.process_time()
    run_plan(job, plan, device, hooks, Progress())
    return time.process_time() - started


def lines(model: str, costs: Costs) -> list[str]:
    """The measurement as a table in text."""
    work = costs.workload
    head = f"{model}, {work.instances} instances, {work.steps * work.dt:g} ms, samples of {10 * work.dt:g} ms"
    rows = [f"{head}, {costs.exposures} exposures, {work.threads} thread(s)"]
    own = costs.typical("none")
    for name in costs.microseconds:
        more = costs.added(name)
        added = "" if name == "none" else f"  {more:+6.2f} us  {more / own:+7.1%}"
        rows.append(f"  {name:<16} {costs.typical(name):6.2f} us per instance and ms{added}")
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a shipped model on this machine and print it."""
    parser = argparse.ArgumentParser(prog="python -m ratemlx.bench.observables", description=__doc__)
    parser.add_argument("model", nargs="?", default="adex", help="name of a shipped model, or a path")
    parser.add_argument("--instances", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        kernel = generate(load(given.model), "cpp", Path(folder))[0].parent
        work = Workload(kernel, instances=given.instances, steps=given.steps, threads=given.threads)
        print("\n".join(lines(given.model, measure_observables(work, given.repeat))))


if __name__ == "__main__":
    main()
