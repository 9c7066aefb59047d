"""How far a model's network is from tvb-library's: both without noise, in float64, from equal states and histories."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratemlx.abi import Integrator, Manifest
from ratemlx.bench.counterparts import COUNTERPARTS
from ratemlx.bench.tvb import Floats, Network, history_in_float64, tvb_series
from ratemlx.runtime import Connectome, RunSpec, load_connectome, run

GOAL = 1e-8
"""Greatest difference over range where both compute in float64."""

MOVED = 1e-10
"""How far the start is moved, over the range of starts, to see how the dynamics amplify."""

SPEED = 3.0
DT = 0.1


@dataclass(frozen=True)
class Comparison:
    """Greatest differences of one network, each over the range of its state.

    `stock` is from tvb-library as it is, whose history and weights are float32; `precise` from it with both in
    float64. `moved` is tvb-library's distance from itself with its start moved by MOVED; None unless asked for.
    """

    model: str
    tvb_class: str
    n_regions: int
    integrator: Integrator
    duration: float
    stock: float
    precise: float
    moved: float | None


def compare(
    model: str, folder: Path, connectome: str, integrator: Integrator, duration: float, moved: bool | None = None
) -> Comparison:
    """Compare a kernel with its counterpart; raises RatemlxError, and ImportError without tvb-library.

    `moved`: whether to run tvb-library from a moved start too; by default where `precise` misses the goal.
    """
    manifest = Manifest.load(folder)
    network = network_of(model, manifest, load_connectome(connectome).normalized("out-strength"), integrator)
    states = {item.name for item in manifest.state_variables}
    observed = tuple(item.name for item in manifest.exposures if item.name in states)
    steps = round(duration / DT)
    ours = our_series(model, folder, network, observed, steps)
    theirs = {kind: _tvb(model, network, observed, steps, kind) for kind in (False, True)}
    precise = distance(ours, theirs[True])
    amplified = None
    if precise > GOAL if moved is None else moved:
        amplified = distance(_tvb(model, _moved(model, network), observed, steps, True), theirs[True])
    return Comparison(
        model=model,
        tvb_class=COUNTERPARTS[model].tvb_class,
        n_regions=network.connectome.n_regions,
        integrator=integrator,
        duration=duration,
        stock=distance(ours, theirs[False]),
        precise=precise,
        moved=amplified,
    )


def network_of(model: str, manifest: Manifest, connectome: Connectome, integrator: Integrator) -> Network:
    """The network at the counterpart's point, every region with a start of its own."""
    counterpart = COUNTERPARTS[model]
    values = {item.name: item.value for item in manifest.constants}
    values |= {item.name: item.default for item in manifest.parameters} | dict(counterpart.settings)
    generator = np.random.default_rng(7)
    start = {name: generator.uniform(*limits, connectome.n_regions) for name, limits in counterpart.start.items()}
    return Network(connectome, values, start, SPEED, DT, integrator)


def our_series(model: str, folder: Path, network: Network, observed: tuple[str, ...], steps: int) -> Floats:
    """States after each step, (state, step, region), by our kernel."""
    manifest = Manifest.load(folder)
    rest: Mapping[str, float] = {item.name: 0.0 for item in manifest.state_variables}
    result = run(
        RunSpec(
            folder=folder,
            connectome=network.connectome,
            normalization="none",
            params=COUNTERPARTS[model].settings,
            conduction_speed=network.speed,
            initial={**rest, **network.start},
            duration=steps * network.dt,
            dt=network.dt,
            period=network.dt,
            precision="float64",
            integrator=network.integrator,
            noise=False,
            observe=observed,
            threads=1,
        )
    )
    assert result is not None
    # The runtime keeps the model's order of exposures.
    values: Floats = result.time_series.sel(exposure=list(observed)).values[0]
    return values


def distance(one: Floats, other: Floats) -> float:
    """Greatest difference of each state over its range, the greatest of all states."""
    return float(max(np.abs(a - b).max() / np.ptp(b) for a, b in zip(one, other, strict=True)))


def _tvb(model: str, network: Network, observed: tuple[str, ...], steps: int, precise: bool) -> Floats:
    with history_in_float64() if precise else nullcontext():
        return tvb_series(model, network, observed, steps)


def _moved(model: str, network: Network) -> Network:
    limits = COUNTERPARTS[model].start
    start = {name: values + MOVED * (limits[name][1] - limits[name][0]) for name, values in network.start.items()}
    return replace(network, start=start)
