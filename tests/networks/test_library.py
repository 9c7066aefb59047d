"""The models of the library, all in the same way: on both targets, and at the ends of their parameters' ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.abi import Manifest
from ratemlx.bench.counterparts import COUNTERPARTS
from ratemlx.runtime import run
from tests.support.shipped import GENERATED, MODELS, shipped, simulated

LIBRARY = tuple(name for name in COUNTERPARTS if name not in MODELS)
"""Those that `test_targets_agree` does not go through."""

BOUNDS = {"float32": 1e-4, "float64": 1e-12}
"""Of each exposure's range, over 5 ms; most in Epileptor, which amplifies rounding."""


def starts(model: str) -> dict[str, NDArray[np.float64]]:
    """A start of its own for each of 68 regions."""
    generator = np.random.default_rng(11)
    return {name: generator.uniform(*limits, 68) for name, limits in COUNTERPARTS[model].start.items()}


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("model", LIBRARY)
def test_targets_agree(model: str, precision: str) -> None:
    chosen: dict[str, Any] = {
        "sweep": {"global_coupling": [0.1, 0.5, 0.9]},
        "initial": starts(model),
        "duration": 5.0,
        "seed": 5,
        "precision": precision,
        "integrator": "heun",
    }
    on_cpu, emulated = (simulated(model, target, **chosen) for target in ("cpu", "cuda-emulation"))
    extent = np.ptp(on_cpu, axis=(0, 2, 3))
    assert (extent > 0).all()
    assert (np.abs(on_cpu - emulated).max(axis=(0, 2, 3)) <= BOUNDS[precision] * extent).all()


@pytest.mark.parametrize("model", [name for name in COUNTERPARTS if not name.startswith("adex")])
def test_ends_of_ranges(model: str) -> None:
    """Each swept parameter at both ends of its range, the others at their defaults: everything stays finite."""
    swept = [item for item in Manifest.load(GENERATED / model / "cpp").parameters if item.range is not None]
    points = [(item.name, value) for item in swept if item.range is not None for value in item.range]
    samples = {item.name: [value if name == item.name else item.default for name, value in points] for item in swept}
    result = run(shipped(model, samples=samples, duration=300.0))
    bad = [point for point, status in zip(points, result.status.values, strict=True) if status != "ok"]
    assert bad == []
    assert np.isfinite(result.time_series.values).all()
