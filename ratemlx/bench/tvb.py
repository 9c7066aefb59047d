"""tvb-library's own class of a model, run by its own simulator, for comparison. The one module that imports tvb."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ratemlx.runtime import Connectome

CLASSES = {
    "adex": ("ZerlautAdaptationSecondOrder", "E"),
    "adex_first_order": ("ZerlautAdaptationFirstOrder", "E"),
    "montbrio": ("MontbrioPazoRoxin", "r"),
    "kuramoto": ("Kuramoto", "theta"),
}
"""Models that tvb-library has too: its class, and the state variable that is coupled."""


def tvb_rate(model: str, connectome: Connectome, *, dt: float, speed: float, steps: int = 300) -> float | None:
    """Node-steps per second of tvb-library with noise and 1 ms averages; None if it lacks the model.

    Compilation and the first steps are not counted. Raises ImportError if tvb-library is not installed.
    """
    if model not in CLASSES:
        return None
    simulator = _simulator(model, connectome, dt=dt, speed=speed)
    _run(simulator, 50)
    started = time.perf_counter()
    _run(simulator, steps)
    return steps * connectome.n_regions / (time.perf_counter() - started)


def _run(simulator: Any, steps: int) -> None:
    simulator.simulation_length = steps * simulator.integrator.dt
    for _ in simulator():
        pass


def _simulator(model: str, connectome: Connectome, *, dt: float, speed: float) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tvb-library warns of parts that are of no use here
        return _configured(model, connectome, dt=dt, speed=speed)


def _configured(model: str, connectome: Connectome, *, dt: float, speed: float) -> Any:
    from tvb.datatypes.connectivity import Connectivity
    from tvb.simulator import coupling, integrators, models, monitors, noise
    from tvb.simulator.simulator import Simulator

    network = Connectivity(
        weights=np.asarray(connectome.weights, dtype=float),
        tract_lengths=np.asarray(connectome.tract_lengths, dtype=float),
        region_labels=np.asarray(connectome.region_labels),
        centres=np.zeros((connectome.n_regions, 3)),
        speed=np.array([speed]),
    )
    network.configure()
    node: Callable[..., Any] = getattr(models, CLASSES[model][0])
    amounts = np.zeros(node().nvar)
    amounts[-1] = 1e-8
    link = coupling.Kuramoto if model == "kuramoto" else coupling.Linear
    simulator = Simulator(
        model=node(),
        connectivity=network,
        conduction_speed=speed,
        coupling=link(a=np.array([0.1])),
        integrator=integrators.EulerStochastic(dt=dt, noise=noise.Additive(nsig=amounts)),
        monitors=[monitors.TemporalAverage(period=10 * dt)],
    )
    simulator.configure()
    return simulator
