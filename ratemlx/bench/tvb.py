"""tvb-library's own classes, run by its own simulator, for comparison. The one module that imports tvb."""

from __future__ import annotations

import importlib.util
import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratemlx.abi import Integrator
from ratemlx.bench.counterparts import COUNTERPARTS, Counterpart
from ratemlx.runtime import Connectome

Floats = NDArray[np.float64]

INTEGRATORS: tuple[Integrator, ...] = ("euler", "heun")
"""Those that both have."""

SINGLE_PRECISION = (
    ("BaseHistory", "weights"),
    ("SparseHistory", "nnz_weights"),
    ("DenseHistory", "es_weights"),
    ("DenseHistory", "buffer"),
    ("DenseHistory", "current_state"),
    ("DenseHistory", "delayed_state"),
)
"""Arrays that tvb-library keeps in float32 whatever the precision of the rest: classes and their attributes."""


@dataclass(frozen=True)
class Network:
    """A network without noise: `weights` as they are, `start` of shape (state, region), equal to its history."""

    connectome: Connectome
    values: Mapping[str, float]
    start: Mapping[str, Floats]
    speed: float
    dt: float
    integrator: Integrator


def tvb_series(model: str, network: Network, observed: Sequence[str], steps: int) -> Floats:
    """States after each step, (state, step, region), by the class that `COUNTERPARTS` names; raises ImportError.

    `network.values` are those of all parameters and constants of our model, under our names.
    """
    with _quiet():
        from tvb.simulator import monitors

        node, link = _node(COUNTERPARTS[model], network)
        node.variables_of_interest = tuple(observed)
        simulator = _simulator(node, link, network, [monitors.Raw()])
        states = [state[:, :, 0] for ((_, state),) in simulator(n_steps=steps)]
    return np.stack(states, axis=1)


def tvb_defaults(model: str) -> dict[str, float]:
    """Defaults of the class's and the coupling's scalar parameters, the latter with `coupling.` before their names."""
    found = {}
    with _quiet():
        from tvb.simulator import coupling, models

        node: Any = getattr(models, COUNTERPARTS[model].tvb_class)()
        link: Any = getattr(coupling, COUNTERPARTS[model].coupling)()
    for prefix, owner in (("", node), ("coupling.", link)):
        for name in type(owner).declarative_attrs:
            value = getattr(owner, name)
            if isinstance(value, np.ndarray) and value.size == 1:
                found[prefix + name] = float(value[0])
    return found


@contextmanager
def history_in_float64() -> Iterator[None]:
    """Within this context, simulators are set up with weights and delayed states in float64, which tvb-library rounds
    to float32. Only this process is affected.
    """
    from tvb.simulator import history

    arrays = [vars(getattr(history, owner))[name] for owner, name in SINGLE_PRECISION]
    before = [array.dtype for array in arrays]
    for array in arrays:
        array.dtype = "d"
    try:
        yield
    finally:
        for array, dtype in zip(arrays, before, strict=True):
            array.dtype = dtype


def tvb_rate(model: str, connectome: Connectome, *, dt: float, speed: float, steps: int = 300) -> float | None:
    """Node-steps per second of tvb-library with noise and 1 ms averages; None if it lacks the model.

    Compilation and the first steps are not counted. Raises ImportError if tvb-library is not installed.
    """
    if model not in COUNTERPARTS:
        return None
    values = {"global_coupling": 0.1}
    with _quiet():
        node, link = _node(COUNTERPARTS[model], Network(connectome, values, {}, speed, dt, "euler"))
    return _rate(node, link, Network(connectome, {}, {}, speed, dt, "euler"), steps)


def module_rate(path: Path, connectome: Connectome, *, dt: float, speed: float, steps: int = 300) -> float:
    """The same for a module of the target tvb, run by tvb-library's simulator; raises ImportError without it."""
    with _quiet():
        from tvb.simulator.coupling import Coupling
        from tvb.simulator.models.base import Model

        spec = importlib.util.spec_from_file_location(f"generated_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        own = [item for item in vars(module).values() if isinstance(item, type) and item.__module__ == spec.name]
        node = next(item for item in own if issubclass(item, Model))()
        link = next(item for item in own if issubclass(item, Coupling))()
    return _rate(node, link, Network(connectome, {}, {}, speed, dt, "euler"), steps)


def _rate(node: Any, link: Any, network: Network, steps: int) -> float:
    """Node-steps per second with noise and averages over ten steps; the first steps, which compile, are not counted."""
    with _quiet():
        from tvb.simulator import integrators, monitors, noise

        amounts = np.zeros(node.nvar)
        amounts[-1] = 1e-8
        integrator = integrators.EulerStochastic(dt=network.dt, noise=noise.Additive(nsig=amounts))
        simulator = _simulator(node, link, network, [monitors.TemporalAverage(period=10 * network.dt)], integrator)
        _run(simulator, 50)
        started = time.perf_counter()
        _run(simulator, steps)
        elapsed = time.perf_counter() - started
    return steps * network.connectome.n_regions / elapsed


def _run(simulator: Any, steps: int) -> None:
    simulator.simulation_length = steps * simulator.integrator.dt
    for _ in simulator():
        pass


@contextmanager
def _quiet() -> Iterator[None]:
    """tvb-library warns, and logs warnings, of parts that are of no use here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _node(counterpart: Counterpart, network: Network) -> tuple[Any, Any]:
    """The class and its coupling, with our values."""
    from tvb.simulator import coupling, models

    kinds = {"": getattr(models, counterpart.tvb_class), "coupling": getattr(coupling, counterpart.coupling)}
    renamed = {**counterpart.renamed, "global_coupling": counterpart.strength}
    found: dict[str, dict[str, list[float]]] = {"": {}, "coupling": {"a": [1.0]}}
    for name, value in network.values.items():
        owner, _, attribute = renamed.get(name.partition("[")[0], name.partition("[")[0]).rpartition(".")
        if attribute not in kinds[owner].declarative_attrs:
            continue
        if "[" in name:
            found[owner].setdefault(attribute, []).append(value)
        else:
            found[owner][attribute] = [value]
    made = [
        kind(**{name: np.array(values, getattr(kind, name).dtype) for name, values in found[owner].items()})
        for owner, kind in kinds.items()
    ]
    return made[0], made[1]


def _simulator(node: Any, link: Any, network: Network, monitors: list[Any], integrator: Any = None) -> Any:
    from tvb.datatypes.connectivity import Connectivity
    from tvb.simulator import integrators
    from tvb.simulator.simulator import Simulator

    connectome = network.connectome
    kinds = {"euler": integrators.EulerDeterministic, "heun": integrators.HeunDeterministic}
    tracts = Connectivity(
        weights=np.array(connectome.weights, dtype=float),
        tract_lengths=np.array(connectome.tract_lengths, dtype=float),
        region_labels=np.asarray(connectome.region_labels),
        centres=np.zeros((connectome.n_regions, 3)),
        speed=np.array([network.speed]),
    )
    tracts.configure()
    simulator = Simulator(
        model=node,
        connectivity=tracts,
        conduction_speed=network.speed,
        coupling=link,
        integrator=integrator or kinds[network.integrator](dt=network.dt),
        monitors=monitors,
        initial_conditions=_history(node, network) if network.start else None,
    )
    simulator.configure()
    return simulator


def _history(node: Any, network: Network) -> Floats:
    """States of all times before the start, (time, state, region, 1)."""
    connectome = network.connectome
    nothing = np.zeros(connectome.n_regions)
    states = np.stack([network.start.get(name, nothing) for name in node.state_variables])
    longest = int(connectome.tract_lengths.max() / network.speed / network.dt) + 2
    return np.tile(states[None, :, :, None], (longest, 1, 1, 1))
