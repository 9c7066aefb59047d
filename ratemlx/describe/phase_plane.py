"""The plane of a region's two state variables without coupling, noise and stimulus: its flow, and where it goes.

Values of the derivatives come from the model's formulas in NumPy, trajectories from its kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ratemlx.ir.model import Exposure, Model, StateVariable
from ratemlx.passes.pipeline import lower_adjustable
from ratemlx.runtime import Connectome
from ratemlx.simulate import simulate
from ratemlx.transfer.numeric import compute

Array = NDArray[Any]

DURATION = 1000.0
STEP = 0.02
RESOLUTION = 201
MARGIN = 0.25
"""Share of the extent of what has to be seen that is added at each side of it."""
REACHES = (1.0, 10.0, 100.0)
"""How far from the first trajectory, in its extents, further fixed points are looked for."""
SEARCHED = 801
CORNERS = np.array([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.9, 0.9], [0.5, 0.9], [0.5, 0.1]])
"""Where in the window further trajectories start."""


@dataclass(frozen=True)
class PhasePlane:
    """The flow on a grid, and trajectories on it.

    `x` and `y` are the axes; `dx` and `dy` have shape (y, x); `trajectories` has shape (trajectory, time, 2), the first
    from the model's own start.
    """

    variables: tuple[StateVariable, StateVariable]
    x: Array
    y: Array
    dx: Array
    dy: Array
    trajectories: Array


def planar_variables(model: Model) -> tuple[StateVariable, StateVariable] | None:
    """The two state variables of a model that has exactly two, those that are noise left out; else None."""
    moving = {name for name, _ in model.time_derivatives}
    found = [item for item in model.state_variables if item.name in moving]
    return (found[0], found[1]) if len(found) == 2 else None


def phase_plane(model: Model) -> PhasePlane:
    """The phase plane of a model with two variables at its default parameters."""
    variables = planar_variables(model)
    assert variables is not None
    start = np.array([sum(item.initial) / 2 for item in variables])
    alone = _alone(model, variables)
    low, high = _window(alone, variables, start)
    trajectories = _trajectories(alone, variables, np.concatenate([start[None], low + (high - low) * CORNERS]))
    x, y = (np.linspace(low[axis], high[axis], RESOLUTION) for axis in (0, 1))
    dx, dy = derivatives(model, {variables[0].name: x[None, :], variables[1].name: y[:, None]})
    return PhasePlane(variables, x, y, dx, dy, trajectories)


def derivatives(model: Model, states: Mapping[str, Array]) -> list[Array]:
    """Derivatives (per ms) of the state variables, in their order, in a region without coupling, noise and stimulus."""
    program = lower_adjustable(model)
    values: dict[str, Array] = {item.name: np.asarray(item.default) for item in model.parameters}
    values |= {item.name: np.asarray(item.value) for item in model.constants}
    absent = [item.name for item in model.couplings] + [item.name for item in model.inputs]
    values |= {name: np.asarray(0.0) for name in (*absent, *(item.name for item in model.state_variables))}
    values |= {"dt": np.asarray(STEP), "n_node": np.asarray(1.0), **states}
    for segment in (program.prepare, program.derivatives):
        with np.errstate(all="ignore"):
            for line in segment.lines:
                values[line.name] = compute(line.expression, values)
            values |= {name: compute(expression, values) for name, expression in segment.results}
    results = [values[name] for name, _ in program.derivatives.results]
    return list(np.broadcast_arrays(*results, *states.values())[: len(results)])


def _alone(model: Model, variables: tuple[StateVariable, ...]) -> Model:
    """The model of a region by itself, which exposes its state."""
    exposures = tuple(
        Exposure(item.name, sp.Symbol(item.name, real=True), item.unit, item.description, None) for item in variables
    )
    couplings = tuple(replace(item, factor=sp.Integer(0)) for item in model.couplings)
    return replace(model, couplings=couplings, noises=(), exposures=exposures, delays=False)


def _trajectories(model: Model, variables: tuple[StateVariable, ...], starts: Array) -> Array:
    """Runs from each start, as regions of one network without tracts: shape (start, time, variable)."""
    nothing = np.zeros((len(starts), len(starts)))
    result = simulate(
        model,
        connectome=Connectome(nothing, nothing),
        normalization="none",
        duration=DURATION,
        dt=STEP,
        period=STEP,
        precision="float64",
        initial={item.name: starts[:, axis] for axis, item in enumerate(variables)},
    )
    series = np.moveaxis(result.time_series.values[0], (0, 1, 2), (2, 1, 0))
    return np.concatenate([starts[:, None], series], axis=1)


def _window(alone: Model, variables: tuple[StateVariable, ...], start: Array) -> tuple[Array, Array]:
    """What is shown: where the model goes from its start, and fixed points around, with a margin, within bounds."""
    (first,) = _trajectories(alone, variables, start[None])
    extent = np.maximum(np.ptp(first, axis=0), 0.2 * np.abs(first).max(axis=0).clip(min=0.1))
    found = [_fixed_points(alone, variables, start - reach * extent, start + reach * extent) for reach in REACHES]
    seen = np.concatenate([first, *found])
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = np.maximum(MARGIN * (high - low), 0.1 * extent)
    return _within(low - margin, variables), _within(high + margin, variables)


def _fixed_points(model: Model, variables: tuple[StateVariable, ...], low: Array, high: Array) -> Array:
    """Centres of the cells of a grid in which both derivatives change their sign: shape (point, variable)."""
    low, high = _within(low, variables), _within(high, variables)
    x, y = (np.linspace(low[axis], high[axis], SEARCHED) for axis in (0, 1))
    flow = derivatives(model, {variables[0].name: x[None, :], variables[1].name: y[:, None]})
    row, column = np.nonzero(np.logical_and.reduce([_changes_sign(values) for values in flow]))
    return np.stack([x[column] + x[column + 1], y[row] + y[row + 1]], axis=1) / 2


def _changes_sign(values: Array) -> Array:
    """For each cell, whether its four corners have different signs."""
    signs = np.sign(values)
    corners = np.stack([signs[:-1, :-1], signs[:-1, 1:], signs[1:, :-1], signs[1:, 1:]])
    return np.asarray(corners.min(axis=0) < corners.max(axis=0))


def _within(points: Array, variables: tuple[StateVariable, ...]) -> Array:
    """Points (..., variable) moved into the bounds."""
    bounds = np.array([item.bounds for item in variables], dtype=float)
    low, high = (
        np.where(np.isnan(bounds[:, 0]), -np.inf, bounds[:, 0]),
        np.where(np.isnan(bounds[:, 1]), np.inf, bounds[:, 1]),
    )
    return np.clip(points, low, high)
