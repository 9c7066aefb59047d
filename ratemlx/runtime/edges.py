"""Edges as a kernel wants them: compressed rows by target, and delays in whole steps.

Knows the connectome and nothing of sweeps or devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import Bools, Floats, Int32s
from ratemlx.runtime.connectome import Connectome

LONGEST_DELAY = 2**30


@dataclass(frozen=True, eq=False)
class Edges:
    """Non-zero weights in CSR form; target i has edges begin[i] to begin[i + 1], sources in ascending order.

    `weight` and `length` (mm) have one value per edge.
    """

    begin: Int32s
    source: Int32s
    weight: Floats
    length: Floats

    def __len__(self) -> int:
        return len(self.source)


def edges(connectome: Connectome) -> Edges:
    """The edges of a connectome; a zero weight is no edge, whatever its length."""
    target, source = np.nonzero(connectome.weights)
    begin = np.searchsorted(target, np.arange(connectome.n_regions + 1))
    return Edges(
        begin=begin.astype(np.int32),
        source=source.astype(np.int32),
        weight=connectome.weights[target, source],
        length=connectome.tract_lengths[target, source],
    )


@dataclass(frozen=True, eq=False)
class Gathered:
    """Edges with their delays in steps, as one loop of a kernel runs over them."""

    edges: Edges
    delays: Int32s


def from_itself(edges: Edges) -> Bools:
    """Which edges lead from a region to itself."""
    target = np.repeat(np.arange(len(edges.begin) - 1), np.diff(edges.begin))
    same: Bools = edges.source == target
    return same


def split_own(edges: Edges, steps: Int32s, block: int) -> tuple[Gathered, Gathered]:
    """Edges whose values are known a whole block ahead, and those from a region to itself that are not.

    The latter are short: their values come out of the very block that needs them.
    """
    own = from_itself(edges) & (steps < block - 1)
    return _chosen(edges, steps, ~own), _chosen(edges, steps, own)


def _chosen(edges: Edges, steps: Int32s, mask: Bools) -> Gathered:
    counts = np.concatenate([[0], np.cumsum(mask)])[edges.begin]
    chosen = Edges(counts.astype(np.int32), edges.source[mask], edges.weight[mask], edges.length[mask])
    return Gathered(chosen, steps[mask])


def delays(edges: Edges, speed: float, dt: float) -> Int32s:
    """Delay of each edge in steps, floor(length / speed / dt + 0.5); speed in mm/ms, dt in ms.

    In float64 whatever the kernel's precision, so that both precisions have the same network. Raises SweepError
    for delays that no memory could hold.
    """
    steps = np.floor(edges.length / speed / dt + 0.5)
    if steps.size and steps.max() > LONGEST_DELAY:
        raise SweepError(
            f"at a conduction speed of {speed:g} mm/ms and dt = {dt:g} ms the longest delay is {steps.max():.3g} steps",
            "use a higher speed",
        )
    return steps.astype(np.int32)
