"""The best instances: of a batch, and of many batches or ranks together.

The same instances come out whatever they were cut into: equal fitness is ranked by the number of the instance, and an
instance without fitness is never ranked. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ratemlx.runtime.arrays import AnyArray, Floats, Int64s

BEST = 10
"""As many are told, and keep their arrays, in van der Vlag et al. 2023."""


@dataclass(frozen=True, eq=False)
class Best:
    """Instances and their fitness, the fittest first."""

    instances: Int64s
    fitness: Floats

    def __len__(self) -> int:
        return len(self.instances)


def rank(fitness: AnyArray, instances: AnyArray, n: int = BEST) -> Best:
    """The best `n` of some instances; both arrays are (instance,)."""
    values, numbers = np.asarray(fitness, dtype=np.float64), np.asarray(instances, dtype=np.int64)
    usable = np.flatnonzero(~np.isnan(values))
    if len(usable) > 4 * n > 0:
        # Only those that reach the n-th value need to be sorted, with all that are equal to it.
        least = np.partition(values[usable], len(usable) - n)[len(usable) - n]
        usable = usable[values[usable] >= least]
    order = usable[np.lexsort((numbers[usable], -values[usable]))][:n]
    return Best(numbers[order], values[order])


def merge(parts: Iterable[Best], n: int = BEST) -> Best:
    """The best `n` of several rankings, in whatever order they come."""
    found = list(parts)
    if not found:
        return Best(np.empty(0, dtype=np.int64), np.empty(0))
    return rank(np.concatenate([part.fitness for part in found]), np.concatenate([part.instances for part in found]), n)
