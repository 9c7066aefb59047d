"""Running generated modules in TVB's own simulator."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratemlx.ir.model import Model
from ratemlx.runtime import Connectome, load_connectome
from ratemlx.targets import generate
from ratemlx.targets.tvb_names import class_name

Array = NDArray[np.float64]


def imported(model: Model, folder: Path) -> ModuleType:
    """Generate a model's module into a folder and import it from there."""
    (path,) = generate(model, "tvb", folder / model.name)
    spec = importlib.util.spec_from_file_location(f"generated_{model.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tvb-library warns of parts that are of no use here
        spec.loader.exec_module(module)
    return module


def classes(module: ModuleType, name: str) -> tuple[type, type]:
    """The classes of a model and of its coupling."""
    return getattr(module, class_name(name)), getattr(module, f"{class_name(name)}Coupling")


def brain() -> Connectome:
    """The 68-region connectome with weights that float32, in which TVB keeps them, holds exactly."""
    whole = load_connectome("tvb:68").normalized("out-strength")
    return Connectome(whole.weights.astype(np.float32).astype(float), whole.tract_lengths, whole.region_labels, "brain")


def run(
    model: Any,
    coupling: Any,
    connectome: Connectome,
    start: Array,
    *,
    dt: float,
    steps: int,
    speed: float,
    integrator: Any = None,
) -> Array:
    """States that TVB's simulator gives after each step, (step, variable of interest, region).

    `start`, (state variable, region), is also the history before.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tvb.datatypes.connectivity import Connectivity
        from tvb.simulator import integrators, monitors
        from tvb.simulator.simulator import Simulator
    connectivity = Connectivity(
        weights=connectome.weights,
        tract_lengths=connectome.tract_lengths,
        region_labels=np.asarray(connectome.region_labels),
        centres=np.zeros((connectome.n_regions, 3)),
        speed=np.array([speed]),
    )
    connectivity.configure()
    connectivity.set_idelays(dt)
    history = np.repeat(start[np.newaxis, :, :, np.newaxis], connectivity.horizon, axis=0)
    simulator = Simulator(
        model=model,
        coupling=coupling,
        connectivity=connectivity,
        integrator=integrator or integrators.EulerDeterministic(dt=dt),
        monitors=[monitors.Raw()],
        initial_conditions=history,
        simulation_length=steps * dt,
    )
    simulator.configure()
    values = [output[0][1][:, :, 0] for output in simulator()]
    return np.array(values)
