"""A delayed network in plain NumPy, written for being read: what every kernel is held against.

Models are given as Python functions over arrays of regions. No blocks, no rings, no lanes: the whole history is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
States = dict[str, Array]


@dataclass(frozen=True)
class CouplingTerm:
    """`name` = factor * sum over j of weight_ij * pre(sources of j, delayed; states of i)."""

    name: str
    source: str
    pre: Callable[[Array, States], Array] = lambda delayed, _states: delayed
    factor: float = 1.0


@dataclass(frozen=True)
class ReferenceNetwork:
    """A network. `weights` and `delays` (steps) have shape (target, source); zero weights are no edges.

    `derivatives` maps states and coupling to time derivatives; `noise` maps a step to increments that are added after
    it; `bounds` are applied last.
    """

    weights: Array
    delays: NDArray[np.integer]
    dt: float
    initial: Mapping[str, Array]
    coupling: Sequence[CouplingTerm]
    derivatives: Callable[[States, States], States]
    exposures: Mapping[str, Callable[[States], Array]]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    noise: Callable[[int], States] = lambda _step: {}
    integrator: str = "euler"

    def run(self, n_samples: int, steps_per_sample: int) -> dict[str, Array]:
        """Means of the exposures over each sample, shape (sample, region)."""
        states = {name: np.array(values) for name, values in self.initial.items()}
        history = {name: [values] for name, values in states.items()}
        kept = {name: [] for name in self.exposures}
        for step in range(n_samples * steps_per_sample):
            coupling = {term.name: self._coupling(term, history[term.source], states, step) for term in self.coupling}
            states = self._bounded(self._step(states, coupling), self.noise(step))
            for name, values in states.items():
                history[name].append(values)
            for name, exposure in self.exposures.items():
                kept[name].append(exposure(states))
        return {
            name: np.reshape(values, (n_samples, steps_per_sample, -1)).mean(axis=1) for name, values in kept.items()
        }

    def _coupling(self, term: CouplingTerm, history: list[Array], states: States, step: int) -> Array:
        total = np.zeros(len(self.weights), self.weights.dtype)
        for target, source in np.argwhere(self.weights):
            delayed = history[max(0, step - self.delays[target, source])][source]
            here = {name: values[target] for name, values in states.items()}
            total[target] += self.weights[target, source] * term.pre(delayed, here)
        return term.factor * total

    def _step(self, states: States, coupling: States) -> States:
        def slope(at: States) -> States:
            return self.derivatives(at, coupling)

        def moved(by: States, length: float) -> States:
            return {name: values + length * by[name] for name, values in states.items()}

        first = slope(states)
        if self.integrator == "euler":
            return moved(first, self.dt)
        if self.integrator == "heun":
            second = slope(moved(first, self.dt))
            return moved({name: (first[name] + second[name]) / 2 for name in states}, self.dt)
        second = slope(moved(first, self.dt / 2))
        third = slope(moved(second, self.dt / 2))
        fourth = slope(moved(third, self.dt))
        total = {name: (first[name] + 2 * second[name] + 2 * third[name] + fourth[name]) / 6 for name in states}
        return moved(total, self.dt)

    def _bounded(self, states: States, increments: States) -> States:
        moved = {name: values + increments.get(name, 0.0) for name, values in states.items()}
        return {name: np.clip(values, *self.bounds.get(name, (-np.inf, np.inf))) for name, values in moved.items()}
