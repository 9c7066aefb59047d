"""Every block size and integrator against plain NumPy, which keeps the whole history and knows no blocks.

The shortest delay decides the block, so each network here has its own shortest tract.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ratemlx.runtime import Connectome
from ratemlx.runtime.plan import block_size
from tests.support.reference_network import CouplingTerm, ReferenceNetwork, States
from tests.support.shipped import TARGETS, simulated, small_connectome

Record = Callable[[str, float], None]
SPEED, DT = 3.0, 0.1
BLOCKS = {16: 4.6, 8: 2.2, 4: 1.0, 2: 0.31, 1: 0.0}
"""Block sizes and the shortest tract (mm) that leads to each."""
START = {"r": np.linspace(0.1, 1.0, 5), "V": np.linspace(-2.0, 0.5, 5), "theta": np.linspace(0.0, 5.0, 5)}
COUPLING = 0.7


def network(block: int) -> Connectome:
    """Five regions, whose self-connections are the shortest tracts."""
    connectome = small_connectome(5, 6.0, 40.0)
    lengths = connectome.tract_lengths.copy()
    np.fill_diagonal(lengths, BLOCKS[block])
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


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("block", "integrator"),
    [*((block, "euler") for block in BLOCKS), (8, "heun"), (1, "heun"), (16, "rk4"), (1, "rk4")],
)
@pytest.mark.parametrize("model", MODELS)
def test_against_plain_numpy(model: str, block: int, integrator: str, target: str, record: Record) -> None:
    derivatives, names, term = MODELS[model]
    connectome = network(block)
    steps = np.floor(connectome.tract_lengths / SPEED / DT + 0.5).astype(int)
    assert block_size(int(steps[connectome.weights != 0].min())) == block
    wanted = ReferenceNetwork(
        connectome.weights,
        steps,
        DT,
        {name: START[name] for name in names},
        [term],
        derivatives,
        {name: lambda states, name=name: states[name] for name in names},
        integrator=integrator,
    ).run(23, 7)
    found = simulated(
        model,
        target,
        connectome=connectome,
        normalization="none",
        params={"global_coupling": COUPLING},
        initial={name: START[name] for name in names},
        conduction_speed=SPEED,
        duration=16.1,
        dt=DT,
        period=0.7,
        noise=False,
        precision="float64",
        integrator=integrator,
        observe=names,
    )[0]
    error = max(np.abs(found[index] - wanted[name]).max() for index, name in enumerate(names))
    record("of a state", error)
    assert error <= 1e-11
