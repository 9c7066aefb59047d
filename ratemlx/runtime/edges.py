"""Edges as a kernel wants them: compressed rows by target, and delays in whole steps.

Knows the connectome and nothing of sweeps or devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import Floats, Int32s
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
