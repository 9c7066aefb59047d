"""Deterministic networks in tvb-library, from the same connectome, start and constant history as a run of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratemlx.runtime import Connectome

INTEGRATORS = {"euler": "EulerDeterministic", "heun": "HeunDeterministic", "rk4": "RungeKutta4thOrderDeterministic"}


def tvb_series(
    model: Any,
    coupling: Any,
    connectome: Connectome,
    start: Mapping[str, NDArray[np.float64]],
    *,
    speed: float,
    dt: float,
    duration: float,
    period: float,
    integrator: str = "euler",
) -> NDArray[np.float64]:
    """Temporal averages of the model's variables of interest, (variable, sample, region).

    `connectome` has the weights to be used as they are; `start` has a value per region for every state variable, which
    the history before it equals.
    """
    from tvb.datatypes.connectivity import Connectivity
    from tvb.simulator import integrators, monitors
    from tvb.simulator.simulator import Simulator

    n_regions = connectome.n_regions
    states = np.stack([np.broadcast_to(start[name], (n_regions,)) for name in model.state_variables])
    connectivity = Connectivity(
        weights=connectome.weights.copy(),
        tract_lengths=connectome.tract_lengths.copy(),
        region_labels=np.array([str(index) for index in range(n_regions)]),
        centres=np.zeros((n_regions, 3)),
        speed=np.array([speed]),
    )
    # tvb-library counts the steps of the given history too; a whole number of samples keeps its averages in phase.
    per_sample = round(period / dt)
    samples_of_history = int(connectome.tract_lengths.max() / speed / dt) // per_sample + 2
    history = np.broadcast_to(states[None, :, :, None], (samples_of_history * per_sample + 1, *states.shape, 1))
    simulator = Simulator(
        model=model,
        connectivity=connectivity,
        coupling=coupling,
        integrator=getattr(integrators, INTEGRATORS[integrator])(dt=dt),
        monitors=[monitors.TemporalAverage(period=period)],
        initial_conditions=history.copy(),
        simulation_length=duration,
    )
    simulator.configure()
    ((_, series),) = simulator.run()
    values: NDArray[np.float64] = series[:, :, :, 0].transpose(1, 0, 2)
    return values
