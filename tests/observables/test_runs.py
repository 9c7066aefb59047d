"""Observables of simulations: equal to NumPy's of the series that the same run kept, whatever it was cut into."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ratemlx.observables.correlation import matrices
from ratemlx.observables.settings import BoldSettings, ObservableSettings
from tests.observables.runs import Arrays, observed
from tests.support.shipped import shipped

SETTINGS = ObservableSettings(transient=60.0, bold=BoldSettings(TR=20.0))
N_INSTANCES = 20


def simulated(device: str, batch_size: int, threads: int, chunk_samples: int | None, *, series: bool) -> Arrays:
    """A noisy sweep of two conduction speeds."""
    spec = shipped(
        "montbrio",
        device,
        duration=300.0,
        period=1.0,
        seed=5,
        sweep={"J": np.linspace(12, 16, N_INSTANCES // 2), "conduction_speed": [3.0, 8.0]},
        batch_size=batch_size,
        threads=threads,
    )
    return observed(spec, SETTINGS, chunk_samples=chunk_samples, series=series)


@cache
def whole(device: str) -> Arrays:
    return simulated(device, N_INSTANCES, 1, None, series=True)


@pytest.mark.parametrize("device", ["cpu", "cuda-emulation"])
def test_what_is_streamed_is_that_of_the_series(device: str) -> None:
    found = whole(device)
    kept = found["series"][:, :, 60:].astype(np.float64)
    np.testing.assert_allclose(found["mean"], kept.mean(axis=2), rtol=1e-12)
    np.testing.assert_allclose(found["variance"], kept.var(axis=2), rtol=1e-10)
    np.testing.assert_array_equal(found["minimum"], kept.min(axis=2))
    exact = [[np.corrcoef(part.T) for part in instance] for instance in kept]
    np.testing.assert_allclose(matrices(found["fc"]), exact, atol=1e-6)
    assert found["bold"].shape == (N_INSTANCES, kept.shape[1], 12, kept.shape[3])


@pytest.mark.parametrize(
    ("batch_size", "threads", "chunk_samples", "series"), [(3, 2, 7, False), (20, 2, 19, True), (1, 1, 250, False)]
)
def test_bits_do_not_depend_on_batches_threads_or_chunks(
    batch_size: int, threads: int, chunk_samples: int, series: bool
) -> None:
    found = simulated("cpu", batch_size, threads, chunk_samples, series=series)
    for name, values in found.items():
        np.testing.assert_array_equal(values, whole("cpu")[name], err_msg=name)
