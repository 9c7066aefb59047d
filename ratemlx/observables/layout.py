"""What samples look like to observables: how many, of what, in which numbers.

Pure arithmetic over shapes; knows no device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import AnyArray, did_you_mean


@dataclass(frozen=True)
class Layout:
    """Samples of a run: `n_samples` of `period` ms, each of all `exposures` in `n_regions` regions, in numbers `dtype`.

    On a device they lie as [tile][sample][exposure][region][lane], a tile being `lanes` instances.
    """

    n_regions: int
    exposures: tuple[str, ...]
    period: float
    n_samples: int
    lanes: int
    dtype: np.dtype[Any]

    @property
    def item(self) -> int:
        """Bytes of a number."""
        return self.dtype.itemsize

    @property
    def n_pairs(self) -> int:
        """Pairs of regions, those of a region with itself included."""
        return self.n_regions * (self.n_regions + 1) // 2

    def tiles(self, n_instances: int) -> int:
        """Tiles of so many instances."""
        return math.ceil(n_instances / self.lanes)

    def chosen(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """The named exposures (None: all of them) in the order of the samples; raises SweepError for an unknown one."""
        if names is None:
            return self.exposures
        for name in names:
            if name not in self.exposures:
                raise SweepError(f"{name} is not among the observed exposures", did_you_mean(name, self.exposures))
        if not names:
            raise SweepError("observables need at least one exposure", f"there are: {', '.join(self.exposures)}")
        return tuple(name for name in self.exposures if name in names)

    def first_kept(self, transient: float) -> int:
        """Samples that end within the first `transient` ms, which are left out; raises SweepError if few remain."""
        if not transient >= 0:
            raise SweepError(f"the transient must not be below zero; it is {transient:g} ms")
        first = math.ceil(transient / self.period - 1e-6)
        if first + 2 > self.n_samples:
            raise SweepError(
                f"a transient of {transient:g} ms leaves nothing of a run of {self.n_samples * self.period:g} ms",
                "use a shorter transient or a longer duration",
            )
        return first


def by_instance(array: AnyArray, n_instances: int) -> AnyArray:
    """[tile][...][lane] to (instance, ...), in memory of its own and without the padding."""
    turned = np.moveaxis(array, -1, 1)
    rows: AnyArray = turned.reshape(-1, *turned.shape[2:])[:n_instances].copy()
    return rows
