"""Bytes of everything that belongs to instances: what one instance, one sample and one batch take on a device.

Pure arithmetic over the layout of abi.h.
"""

from __future__ import annotations

from dataclasses import dataclass

from ratemlx.abi import Manifest
from ratemlx.runtime.timing import Timing

WORDS_BYTES = 12
"""An instance's identity and its step of divergence."""


@dataclass(frozen=True)
class Sizes:
    """Bytes for a model on `n_regions`, with `n_observed` exposures kept, in numbers of `item` bytes.

    `observers` are the bytes of an instance that observables take on the device; `keeps_series` tells whether time
    series are brought to the host. `history_item` are the bytes of a number of the history, `item` if None.
    """

    manifest: Manifest
    n_regions: int
    n_observed: int
    item: int
    timing: Timing
    observers: int = 0
    keeps_series: bool = True
    history_item: int | None = None

    @property
    def sample(self) -> int:
        """One sample of one instance."""
        return self.n_observed * self.n_regions * self.item

    @property
    def result(self) -> int:
        """All samples of one instance, in host memory; nothing where they are not brought there."""
        return self.sample * self.timing.n_samples if self.keeps_series else 0

    def instance(self, ring_rows: int, block: int, with_results: bool = True) -> int:
        """One instance with its history and, by default, its results, without samples that wait for collection."""
        history = self.manifest.channels * (ring_rows + block) * (self.history_item or self.item)
        states = (len(self.manifest.state_variables) + self.n_observed) * self.item
        fixed = len(self.manifest.parameters) * self.item + WORDS_BYTES + self.observers
        return (history + states) * self.n_regions + fixed + (self.result if with_results else 0)

    def least_samples(self, block: int) -> int:
        """Samples that a call of one block can complete, and one that is under way."""
        return block // self.timing.steps_per_sample + 2
