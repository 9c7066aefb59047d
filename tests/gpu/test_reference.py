"""Networks on a GPU against independent simulations and against the CPU: every number that a user would see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gpu.runs import duration, series
from tests.support.shipped import points

pytestmark = pytest.mark.gpu
FILES = {"adex": "network_second_order.npz", "adex_first_order": "network_first_order.npz"}
BOUNDS = {"float64": 1e-8, "float32": 2e-4}
"""kHz; what the CPU's kernels are held to as well."""
MODELS = tuple(sorted(path.parent.name for path in (Path(__file__).parents[2] / "generated").glob("*/cuda")))
Record = Callable[[str, float], None]


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("model", FILES)
def test_trajectories_equal_the_reference(
    model: str, precision: str, gpu_device: str, reference: Path, record: Record
) -> None:
    length = duration(2000.0)
    with np.load(reference / "adex" / FILES[model]) as data:
        columns = points(data["param_names"], data["params"])
        wanted = np.stack([data["E"], data["I"]], axis=1)[:, :, : int(length)]
    found = series(
        model,
        gpu_device,
        samples=columns,
        initial={"W_e": 100.0},
        duration=length,
        noise=False,
        precision=precision,
        observe=("E", "I"),
    )
    assert found.shape == wanted.shape
    worst = float(np.abs(found.astype(np.float64) - wanted).max())
    record("kHz", worst)
    assert worst <= BOUNDS[precision]


@pytest.mark.parametrize("model", MODELS)
def test_noisy_runs_equal_the_cpus(model: str, gpu_device: str, record: Record) -> None:
    """In float64 what is left is rounding; with other random numbers nothing would agree."""
    settings: dict[str, Any] = {"duration": duration(20.0), "precision": "float64", "seed": 7}
    settings["sweep"] = {"global_coupling": (0.1, 0.5, 5)}
    here, there = (series(model, device, **settings) for device in ("cpu", gpu_device))
    extent = np.ptp(here, axis=(0, 2, 3), keepdims=True)
    worst = float((np.abs(there - here) / np.maximum(extent, 1e-12)).max())
    record("of the range", worst)
    assert worst <= 1e-9
    assert np.abs(here[:, :, :, 0] - here[:, :, :, -1]).max() > 0, "regions differ"


@pytest.mark.parametrize("model", ["adex", "montbrio"])
def test_noise_is_the_cpus(model: str, gpu_device: str) -> None:
    """The part of a run that noise makes: far more than the two devices differ by."""
    strong = {"weight_noise": 1e-2} if model == "adex" else {}
    settings: dict[str, Any] = {"duration": duration(20.0), "precision": "float64", "params": strong}
    noisy, quiet = (series(model, gpu_device, noise=noise, **settings) for noise in (True, False))
    here = series(model, "cpu", **settings)
    made = np.abs(noisy - quiet).max()
    assert made > 0
    assert np.abs(noisy - here).max() <= 1e-6 * made


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("model", ["adex", "kuramoto", "wong_wang_exc_inh"])
def test_results_do_not_depend_on_batches(model: str, precision: str, gpu_device: str) -> None:
    """To the bit: batches of any size, and so any company in a warp."""
    generator = np.random.default_rng(2)
    samples = {
        "global_coupling": generator.uniform(0.1, 0.9, 45),
        "conduction_speed": generator.choice([3.0, 5.0], 45),
    }
    found = [
        series(model, gpu_device, samples=samples, duration=duration(12.0), precision=precision, batch_size=size)
        for size in (None, 7, 32)
    ]
    assert np.ptp(found[0], axis=0).max() > 0
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_an_instance_that_diverges_changes_no_other(gpu_device: str) -> None:
    """The neighbour in the same warp leaves the finite numbers."""
    samples = {"global_coupling": [0.3, 1e30, 0.3], "b_e": [10.0, 10.0, 10.0]}
    alone = {name: values[:1] for name, values in samples.items()}
    settings: dict[str, Any] = {"duration": duration(20.0), "noise": False, "initial": {"E": 0.01}}
    together = series("adex", gpu_device, samples=samples, **settings)
    np.testing.assert_array_equal(together[:1], series("adex", gpu_device, samples=alone, **settings))
    np.testing.assert_array_equal(together[0], together[2])
    assert not np.isfinite(together[1]).all()
