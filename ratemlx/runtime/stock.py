"""What rank 0 tells the others of a run's folder: which points are to be computed, and under which numbers.

A fresh run of millions of points is told in a few bytes. Knows numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemlx.runtime.arrays import Int64s


@dataclass(frozen=True, eq=False)
class Stock:
    """Of `count` points, the places of the `pending` ones (None: all) and the `numbers` of all (None: their places).

    `finished` points are there already; those of other parts of a sweep are neither.
    """

    count: int
    numbers: Int64s | None
    pending: Int64s | None
    finished: int
    complete: bool

    @classmethod
    def of(cls, numbers: Int64s, pending: Int64s, *, finished: int = 0, complete: bool) -> Stock:
        """The stock of a folder, in its shortest form."""
        count = len(numbers)
        own = numbers[:1].tolist() in ([], [0]) and bool((np.diff(numbers) == 1).all())
        return cls(count, None if own else numbers, None if len(pending) == count else pending, finished, complete)

    @property
    def places(self) -> Int64s:
        """Places of the pending points."""
        return np.arange(self.count) if self.pending is None else self.pending

    def numbers_of(self, places: Int64s) -> Int64s:
        """Numbers of the points at some places."""
        return places if self.numbers is None else self.numbers[places]
