"""Observables of simulations: equal to NumPy's of the series that the same run kept, whatever it was cut into."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.observables.correlation import matrices
from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import BoldSettings, ObservableSettings
from ratemlx.runtime.batch import BatchResult
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.engine import Hooks, run_plan
from ratemlx.runtime.plan import Limits, make_plan
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.spec import RunSpec, prepare
from tests.support.shipped import shipped

Arrays = dict[str, NDArray[np.floating]]
SETTINGS = ObservableSettings(transient=60.0, bold=BoldSettings(TR=20.0))
N_INSTANCES = 20


def simulated(device_name: str, batch_size: int, threads: int, chunk_samples: int | None, series: bool) -> Arrays:
    """A noisy sweep of two conduction speeds, with what was observed and, if asked for, the series."""
    spec: RunSpec = shipped(
        "montbrio",
        device_name,
        duration=300.0,
        period=1.0,
        seed=5,
        sweep={"J": np.linspace(12, 16, N_INSTANCES // 2), "conduction_speed": [3.0, 8.0]},
    )
    job = prepare(replace(spec, batch_size=batch_size, threads=threads))
    device = open_device(device_name, threads)
    lanes = device.lanes("float32")
    times = job.timing
    layout = Layout(job.connectome.n_regions, job.observed, times.period, times.n_samples, lanes, job.dtype)
    observation = Observation(SETTINGS, layout)
    limits = Limits(lanes, threads, device.free_bytes(), 1e9, batch_size)
    plan = make_plan(
        job.manifest,
        job.edges,
        times,
        job.parameters.speeds,
        precision="float32",
        n_observed=len(job.observed),
        limits=limits,
        observer_bytes=observation.bytes_per_instance,
    )
    if chunk_samples is not None:
        waves = tuple(tuple(replace(batch, chunk_samples=chunk_samples) for batch in wave) for wave in plan.waves)
        plan = replace(plan, waves=waves)
    make = observation.open(device)
    found: Arrays = {}

    def keep(batch: BatchResult) -> None:
        kept = {**batch.observed, **({"series": batch.series} if series else {})}
        for name, values in kept.items():
            found.setdefault(name, np.empty((N_INSTANCES, *values.shape[1:]), values.dtype))[batch.instances] = values

    hooks = Hooks(keep, observers=lambda batch: make(len(batch.instances), batch.chunk_samples), series=series)
    run_plan(job, plan, device, hooks, Progress())
    device.close()
    return found


@cache
def whole(device_name: str) -> Arrays:
    return simulated(device_name, N_INSTANCES, 1, None, series=True)


@pytest.mark.parametrize("device_name", ["cpu", "cuda-emulation"])
def test_what_is_streamed_is_that_of_the_series(device_name: str) -> None:
    found = whole(device_name)
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
    found = simulated("cpu", batch_size, threads, chunk_samples, series)
    for name, values in found.items():
        np.testing.assert_array_equal(values, whole("cpu")[name], err_msg=name)
