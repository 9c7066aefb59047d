"""Every block size and integrator against plain NumPy, which keeps the whole history and knows no blocks.

The shortest delay between two regions decides the block; a region's connections to itself may be shorter, and are then
added in every step. Each network here has its own shortest tracts of either kind; tests ask the plan what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from ratemlx.runtime import Connectome
from ratemlx.runtime.plan import Limits, SpeedGroup, make_plan
from ratemlx.runtime.spec import prepare
from tests.support.reference_network import CouplingTerm, ReferenceNetwork, States
from tests.support.shipped import TARGETS, shipped, simulated, small_connectome

Record = Callable[[str, float], None]
SPEED, DT = 3.0, 0.1
BLOCKS = {16: 4.6, 8: 2.2, 4: 1.0, 2: 0.31, 1: 0.0}
"""Block sizes and the shortest tract between regions (mm) that leads to each."""
OWN = {
    "delay-0": ([0.0] * 5, [0] * 5),
    "delay-1": ([0.31] * 5, [1] * 5),
    "delay-7": ([2.2] * 5, [7] * 5),
    "delay-14": ([4.2] * 5, [14] * 5),
    "mixed": ([0.0, 0.31, 1.0, 4.2, 4.6], [0, 1, 3, 14, 15]),
}
"""Lengths of the regions' connections to themselves (mm), and their delays in steps."""
START = {"r": np.linspace(0.1, 1.0, 5), "V": np.linspace(-2.0, 0.5, 5), "theta": np.linspace(0.0, 5.0, 5)}
COUPLING = 0.7


def between(shortest: float, longest: float = 40.0) -> Connectome:
    """Five regions with one tract of the shortest length between two of them, and long connections to themselves."""
    connectome = small_connectome(5, 6.0, longest)
    lengths = connectome.tract_lengths.copy()
    target, source = np.argwhere((connectome.weights != 0) & ~np.eye(5, dtype=bool))[0]
    lengths[target, source] = shortest
    return Connectome(connectome.weights, lengths)


def with_own(connectome: Connectome, own: Sequence[float]) -> Connectome:
    """The same network with these lengths (mm) of the regions' connections to themselves."""
    lengths = connectome.tract_lengths.copy()
    np.fill_diagonal(lengths, own)
    return Connectome(connectome.weights, lengths)


def montbrio(states: States, coupling: States) -> States:
    rate, voltage = states["r"], states["V"]
    return {
        "r": 1 / np.pi + 2 * voltage * rate,
        "V": voltage**2 - (np.pi * rate) ** 2 - 5.0 + 15.0 * rate + coupling["c"],
    }


def kuramoto(states: States, coupling: States) -> States:
    return {"theta": np.full_like(states["theta"], 0.12 * np.pi) + coupling["c"]}


MODELS = {
    "montbrio": (montbrio, ("r", "V"), CouplingTerm("c", "r", factor=COUPLING)),
    "kuramoto": (
        kuramoto,
        ("theta",),
        CouplingTerm("c", "theta", lambda delayed, here: np.sin(delayed - here["theta"]), COUPLING),
    ),
}
"""One whose coupling sees delayed values alone, and one whose coupling sees its target's state, too."""


def settings(model: str, connectome: Connectome, integrator: str) -> dict[str, Any]:
    names = MODELS[model][1]
    return {
        "connectome": connectome,
        "normalization": "none",
        "params": {"global_coupling": COUPLING},
        "initial": {name: START[name] for name in names},
        "conduction_speed": SPEED,
        "duration": 16.1,
        "dt": DT,
        "period": 0.7,
        "noise": False,
        "precision": "float64",
        "integrator": integrator,
        "observe": names,
    }


def planned(model: str, target: str, connectome: Connectome) -> SpeedGroup:
    """What the plan says of the one speed at which these networks run."""
    job = prepare(shipped(model, target, **settings(model, connectome, "euler")))
    limits = Limits(lanes=8, workers=1, free_bytes=1 << 30, rate=1e9)
    speeds = job.parameters.speeds
    plan = make_plan(job.manifest, job.edges, job.timing, speeds, precision="float64", n_observed=1, limits=limits)
    (group,) = plan.groups
    return group


def error_of(model: str, target: str, connectome: Connectome, integrator: str = "euler") -> float:
    """The greatest difference from plain NumPy of any state in 161 steps."""
    derivatives, names, term = MODELS[model]
    wanted = ReferenceNetwork(
        connectome.weights,
        np.floor(connectome.tract_lengths / SPEED / DT + 0.5).astype(int),
        DT,
        {name: START[name] for name in names},
        [term],
        derivatives,
        {name: lambda states, name=name: states[name] for name in names},
        integrator=integrator,
    ).run(23, 7)
    found = simulated(model, target, **settings(model, connectome, integrator))[0]
    return max(float(np.abs(found[index] - wanted[name]).max()) for index, name in enumerate(names))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("block", "integrator"),
    [*((block, "euler") for block in BLOCKS), (8, "heun"), (1, "heun"), (16, "rk4"), (1, "rk4")],
)
@pytest.mark.parametrize("model", MODELS)
def test_tracts_between_regions(model: str, block: int, integrator: str, target: str, record: Record) -> None:
    connectome = between(BLOCKS[block])
    assert planned(model, target, connectome).block == block
    error = error_of(model, target, connectome, integrator)
    record("of a state", error)
    assert error <= 1e-11


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("model", MODELS)
def test_connections_of_regions_to_themselves(model: str, own: str, target: str, record: Record) -> None:
    """However short, they leave the block as it is; a coupling that sees its target gathers step by step anyhow."""
    lengths, steps = OWN[own]
    connectome = with_own(between(BLOCKS[16]), lengths)
    group = planned(model, target, connectome)
    assert group.block == 16
    short = [delay for delay in steps if delay < 15] if model == "montbrio" else []
    assert group.own.delays.tolist() == short
    error = error_of(model, target, connectome)
    record("of a state", error)
    assert error <= 1e-11


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", MODELS)
def test_connections_to_themselves_within_a_short_block(model: str, target: str, record: Record) -> None:
    """In blocks of 4, those of 0, 1 and 2 steps are short; those of 3 and more are gathered with the rest."""
    connectome = with_own(between(BLOCKS[4]), [0.0, 0.31, 0.6, 1.0, 4.2])
    group = planned(model, target, connectome)
    assert group.block == 4
    assert group.own.delays.tolist() == ([0, 1, 2] if model == "montbrio" else [])
    error = error_of(model, target, connectome, "heun")
    record("of a state", error)
    assert error <= 1e-11


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("block", [16, 8, 1])
@pytest.mark.parametrize("model", MODELS)
def test_the_ring_goes_round_several_times(model: str, block: int, target: str, record: Record) -> None:
    """A short history is written over and over, and short connections read across its seam."""
    connectome = with_own(between(BLOCKS[block], 7.0), OWN["mixed"][0])
    group = planned(model, target, connectome)
    assert group.block == block
    assert 3 * group.ring_rows < 161
    error = error_of(model, target, connectome)
    record("of a state", error)
    assert error <= 1e-11
