"""Every generated module runs in a simulation of TVB's and agrees with the C++ kernel.

The kernel computes in float64. TVB keeps delayed states and weighted sums in float32, whose steps are 6e-8 of a value;
weights that float32 holds exactly leave only those. Below, errors are relative to the range of the trajectories.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ratemlx.load import load
from ratemlx.resources import shipped_models
from ratemlx.runtime import RunSpec
from ratemlx.runtime import run as run_kernel
from ratemlx.runtime.stimulus import Stimulus
from ratemlx.simulate import generated_folder
from tests.tvb.simulation import Array, brain, classes, run

pytestmark = pytest.mark.tvb

STEPS, DT = 500, 0.1
BOUND = 1e-6
"""The worst of the shipped models is at 3e-7."""
RATES = {"E": (0.0, 0.001), "I": (0.0, 0.002)}
"""Where AdEx starts, in kHz: its own start has hardly any activity."""
SHORTER = {"adex_eq2": 100}
"""Steps before the equations amplify rounding itself: a change of W_e by 1e-12 pA grows to 1e-3 kHz in 500 steps."""


def start(name: str, module: ModuleType) -> dict[str, Array]:
    """A state for each region, near where the model starts by itself."""
    generator = np.random.default_rng(7)
    model, _ = classes(module, name)
    ranges = dict(model.state_variable_range.default) | (RATES if name.startswith("adex") else {})
    return {
        state: generator.uniform(*ranges[state], 68) * generator.uniform(0.8, 1.2, 68)
        for state in model.state_variables
    }


def by_kernel(name: str, **settings: Any) -> Array:
    """States after each step, (step, exposure, region)."""
    plain = {"connectome": brain(), "normalization": "none", "dt": DT, "period": DT, "noise": False, "threads": 1}
    spec = RunSpec(folder=generated_folder(name), precision="float64", **plain, **settings)
    values: Array = run_kernel(spec).time_series.values[0].transpose(1, 0, 2)
    return values


@pytest.mark.parametrize("name", shipped_models())
def test_agrees_with_the_kernel(name: str, module: Callable[[str], ModuleType]) -> None:
    model, coupling = (made() for made in classes(module(name), name))
    exposed = {item.name: str(item.expression) for item in load(name).exposures}
    plain = {exposure: state for exposure, state in exposed.items() if state in model.state_variables}
    model.variables_of_interest = list(plain.values())
    steps = SHORTER.get(name, STEPS)
    states, speed = start(name, module(name)), module(name).CONDUCTION_SPEED
    found = run(model, coupling, brain(), np.array([*states.values()]), dt=DT, steps=steps, speed=speed)
    wanted = by_kernel(name, initial=states, conduction_speed=speed, duration=steps * DT, observe=tuple(plain))
    assert found.shape == wanted.shape
    spans = np.ptp(wanted, axis=(0, 2))
    assert spans.min() > 0.0
    errors = np.abs(found - wanted).max(axis=(0, 2)) / spans
    print(name, dict(zip(plain, (f"{error:.0e}" for error in errors), strict=True)))
    assert errors.max() <= BOUND


def test_a_stimulus_agrees_with_the_kernel(module: Callable[[str], ModuleType]) -> None:
    """A pulse that differs between regions, given to the coupling, and constant drive, an attribute of the model."""
    name, steps = "adex_first_order", 200
    model, coupling = (made() for made in classes(module(name), name))
    pulse, pattern = np.zeros(steps), np.linspace(0.0, 1.0, 68)
    pulse[50:120] = 3e-4
    coupling.stimulus_ex = pulse[:120, np.newaxis] * pattern
    model.stimulus_in = np.array([1e-4])
    model.variables_of_interest = ["E", "I"]
    states = start(name, module(name))
    found = run(model, coupling, brain(), np.array([*states.values()]), dt=DT, steps=steps, speed=3.0)
    stimuli = {"stimulus_ex": Stimulus(pulse, pattern), "stimulus_in": Stimulus(np.full(steps, 1e-4))}
    more = {"conduction_speed": 3.0, "duration": steps * DT, "observe": ("E", "I"), "initial": states}
    wanted = by_kernel(name, stimuli=stimuli, **more)
    assert np.abs(found - wanted).max() <= BOUND * np.ptp(wanted)
    assert np.abs(by_kernel(name, **more) - wanted).max() > 0.1 * np.ptp(wanted)
