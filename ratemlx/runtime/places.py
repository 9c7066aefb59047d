"""Where instances stand in a list of numbers: by halving, so that lists of millions take no longer than need be.

Knows numbers only.
"""

from __future__ import annotations

import numpy as np

from ratemlx.runtime.arrays import Bools, Int64s


class Places:
    """Of a list of instances, in which a number may stand several times."""

    def __init__(self, instances: Int64s) -> None:
        ascending = bool((instances[1:] > instances[:-1]).all())
        self._order = None if ascending else np.argsort(instances, kind="stable")
        self._sorted = instances if self._order is None else instances[self._order]

    def of(self, numbers: Int64s) -> Int64s:
        """The first place of each of some numbers; -1 for one that is not there."""
        if not len(self._sorted):
            return np.full(len(numbers), -1)
        found = np.searchsorted(self._sorted, numbers)
        found[found == len(self._sorted)] = 0
        there = self._sorted[found] == numbers
        places: Int64s = np.where(there, found if self._order is None else self._order[found], -1)
        return places

    def have(self, numbers: Int64s) -> Bools:
        """Which of some numbers are there."""
        there: Bools = self.of(numbers) >= 0
        return there
