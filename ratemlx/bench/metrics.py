"""How long metrics take: milliseconds for each instance, one thread, and which metric takes what share.

`python -m ratemlx.bench.metrics` prints it for all metrics of the paper's Table 2 of two populations. The series are
made up: rates of slow correlated fluctuations that switch between up and down states.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ratemlx.metrics import Metric, Recording, evaluate, select
from ratemlx.metrics.blas import one_thread
from ratemlx.runtime.arrays import Floats
from ratemlx.runtime.workers import Workers

EXPOSURES = ("E", "I")


@dataclass(frozen=True)
class Analysis:
    """What is measured: metrics of `instances` recordings of two populations."""

    metrics: tuple[Metric, ...]
    instances: int = 4
    samples: int = 4000
    regions: int = 68
    threads: int = 1


@dataclass(frozen=True)
class Timing:
    """Seconds for each instance: of all in several runs, on the wall's clock and the processor's, and of each part."""

    totals: tuple[float, ...]
    cpu: tuple[float, ...]
    shares: tuple[tuple[str, float], ...]


def made_up_rates(instances: int, samples: int, regions: int, seed: int = 1) -> Floats:
    """Rates in kHz (instance, time, region) of regions that switch together and apart, 1 ms between samples."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((instances, samples, regions)) + random.standard_normal((instances, samples, 1))
    frequency = np.fft.rfftfreq(samples, 1e-3)[:, None]
    slow = np.fft.irfft(np.fft.rfft(noise, axis=1) / (1 + (frequency / 4) ** 2), n=samples, axis=1)
    slow /= slow.std()
    rates: Floats = 2e-3 * np.exp(1.5 * slow) + 1e-4 * np.abs(noise)
    return rates


def recordings(analysis: Analysis) -> dict[str, Recording]:
    """Recordings of both populations, in float32 as runs keep them."""
    size = analysis.instances, analysis.samples, analysis.regions
    random = np.random.default_rng(2)
    weights, lengths = random.random((2, analysis.regions, analysis.regions))
    labels = tuple(f"region_{region}" for region in range(analysis.regions))
    return {
        name: Recording(made_up_rates(*size, seed).astype(np.float32), 1.0, "kHz", labels, weights, lengths)
        for seed, name in enumerate(EXPOSURES)
    }


def measure(analysis: Analysis, repeat: int = 3) -> Timing:
    """Evaluate the metrics `repeat` times after a first time that warms up, then each by itself."""
    data = recordings(analysis)
    totals, cpu = [], []
    for _ in range(repeat + 1):
        start, busy = time.perf_counter(), time.process_time()
        evaluate(analysis.metrics, data, each=Workers(analysis.threads))
        totals.append((time.perf_counter() - start) / analysis.instances)
        cpu.append((time.process_time() - busy) / analysis.instances)
    return Timing(tuple(totals[1:]), tuple(cpu[1:]), _shares(analysis, data))


def _shares(analysis: Analysis, data: dict[str, Recording]) -> tuple[tuple[str, float], ...]:
    """Time of what metrics share, then of each metric with that at hand; one instance after another."""
    shared = [name for name, value in vars(Recording).items() if isinstance(value, cached_property)]
    spent = dict.fromkeys([*shared, *(item.name for item in analysis.metrics)], 0.0)
    parts = (item.take(number, number + 1) for item in data.values() for number in range(analysis.instances))
    with one_thread():
        for part in parts:
            for name in shared:
                start = time.perf_counter()
                getattr(part, name)
                spent[name] += time.perf_counter() - start
            for metric in analysis.metrics:
                start = time.perf_counter()
                metric.function(part)
                spent[metric.name] += time.perf_counter() - start
    return tuple((name, seconds / analysis.instances) for name, seconds in spent.items())


def report(timing: Timing) -> str:
    """The table that is printed."""
    lines = [
        f"{1e3 * min(seconds):.1f} ms {kind} for each instance ({', '.join(f'{1e3 * item:.1f}' for item in seconds)})"
        for kind, seconds in (("wall", timing.totals), ("processor", timing.cpu))
    ]
    total = sum(seconds for _, seconds in timing.shares)
    ranked = sorted(timing.shares, key=lambda item: -item[1])
    lines += [f"{1e3 * seconds:7.2f} ms  {seconds / total:5.1%}  {name}" for name, seconds in ranked]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how long metrics take."""
    parser = argparse.ArgumentParser(prog="python -m ratemlx.bench.metrics", description=__doc__)
    parser.add_argument("metrics", nargs="*", default=["table2"], help="names of metrics, outputs or groups")
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--regions", type=int, default=68)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    analysis = Analysis(select(given.metrics), given.instances, given.samples, given.regions, given.threads)
    print(report(measure(analysis)))


if __name__ == "__main__":
    main()
