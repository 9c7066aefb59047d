"""Runs of the shipped models' committed kernels, on either target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratemlx.runtime import Connectome, Result, RunSpec, load_connectome, run

GENERATED = Path(__file__).resolve().parents[2] / "generated"
KINDS = {"cpu": "cpp", "cuda-emulation": "cuda"}
TARGETS = tuple(KINDS)
MODELS = ("adex", "adex_first_order", "adex_eq2", "montbrio", "kuramoto")


def shipped(model: str, target: str = "cpu", **settings: Any) -> RunSpec:
    """A run of a shipped model: one thread, whatever else is in `settings`."""
    return RunSpec(folder=GENERATED / model / KINDS[target], device=target, **{"threads": 1, **settings})


def series_of(result: Result) -> NDArray[Any]:
    """Time series, (instance, exposure, time, region)."""
    values: NDArray[Any] = result.time_series.values
    return values


def simulated(model: str, target: str = "cpu", **settings: Any) -> NDArray[Any]:
    """Time series of a run of a shipped model, (instance, exposure, time, region)."""
    return series_of(run(shipped(model, target, **settings)))


def small_connectome(n_regions: int, shortest: float, longest: float, seed: int = 3) -> Connectome:
    """Regions joined at random (self-connections too), tracts of `shortest` to `longest` mm."""
    generator = np.random.default_rng(seed)
    weights = generator.uniform(0.2, 1.0, (n_regions, n_regions))
    weights[generator.uniform(size=weights.shape) < 0.3] = 0.0
    np.fill_diagonal(weights, 0.5)
    lengths = generator.uniform(shortest, longest, (n_regions, n_regions))
    return Connectome(weights, lengths, tuple(f"region {index}" for index in range(n_regions)), "small")


def brain(n_regions: int) -> Connectome:
    """The first regions of the 68-region connectome."""
    whole = load_connectome("tvb:68")
    first = slice(0, n_regions)
    return Connectome(
        whole.weights[first, first], whole.tract_lengths[first, first], whole.region_labels[first], "part"
    )


def points(names: Mapping[str, Any] | Any, rows: NDArray[Any]) -> dict[str, list[float]]:
    """A table of points, (point, parameter), as columns."""
    return {str(name): rows[:, index].tolist() for index, name in enumerate(names)}
