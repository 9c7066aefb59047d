"""Shipped models' speed on one core, beside other simulators on the same work: what `ratemlx bench --all` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ratemlx.bench.measure import Workload, measure
from ratemlx.bench.peers import cubnm_rate, tvbk_rate
from ratemlx.bench.tvb import module_rate, tvb_rate
from ratemlx.load import load
from ratemlx.runtime import Connectome, load_connectome
from ratemlx.simulate import generated_folder
from ratemlx.targets import generate

DENSE_REGIONS = 100


@dataclass(frozen=True)
class Row:
    """One line of the survey: node-steps per second of ours and of another simulator (None if it is not there)."""

    model: str
    work: str
    ours: float
    other: str
    theirs: float | None

    @property
    def ratio(self) -> float | None:
        """How many times as fast ours is."""
        return self.ours / self.theirs if self.theirs else None


def survey(models: dict[str, Path], *, instances: int, steps: int, repeat: int) -> Iterator[Row]:
    """Measure all models against tvb-library, Montbrio against tvbk, and Wong-Wang against cuBNM."""
    connectome = load_connectome("tvb:68").normalized("out-strength")
    for name in models:
        work = Workload(generated_folder(name), instances, steps)
        rate = measure(work, repeat).rate
        theirs = _tvb(name, connectome)
        yield Row(name, "cpp, float32, Euler", rate, "tvb-library", theirs)
        own = _module(name, connectome)
        if own is not None:
            yield Row(name, "tvb, float64, Euler", own, "tvb-library", theirs)
    yield from _against_tvbk(connectome, instances, steps, repeat)
    yield from _against_cubnm(instances, steps, repeat)


def _tvb(name: str, connectome: Connectome) -> float | None:
    try:
        return tvb_rate(name, connectome, dt=0.1, speed=3.0)
    except ImportError:
        return None


def _module(name: str, connectome: Connectome) -> float | None:
    """The target tvb, run by tvb-library's simulator."""
    with TemporaryDirectory() as folder:
        (path,) = generate(load(name), "tvb", Path(folder))
        try:
            return module_rate(path, connectome, dt=0.1, speed=3.0)
        except ImportError:
            return None


def _against_tvbk(connectome: Connectome, instances: int, steps: int, repeat: int) -> Iterator[Row]:
    work = Workload(generated_folder("montbrio"), instances, steps, integrator="heun")
    rate = measure(work, repeat).rate
    try:
        other = max(tvbk_rate(connectome, dt=0.1, speed=3.0, instances=instances, steps=steps) for _ in range(repeat))
    except ImportError:
        other = None
    yield Row("montbrio", "cpp, float32, Heun", rate, "tvbk", other)


def _against_cubnm(instances: int, steps: int, repeat: int) -> Iterator[Row]:
    weights = np.random.default_rng(0).random((DENSE_REGIONS, DENSE_REGIONS))
    weights = weights + weights.T
    np.fill_diagonal(weights, 0)
    dense = Connectome(weights, np.zeros_like(weights), name=f"dense, {DENSE_REGIONS} regions")
    work = Workload(
        generated_folder("wong_wang_exc_inh"), instances, max(200, steps // 5), precision="float64", connectome=dense
    )
    rate = measure(work, repeat).rate
    try:
        other = cubnm_rate(dense, instances=4)
    except ImportError:
        other = None
    yield Row("wong_wang_exc_inh", f"cpp, float64, no delays, {DENSE_REGIONS} regions, dense", rate, "cuBNM", other)
