"""What the engine asks of an observable: to take chunks of samples as they come, and to say at the end what it found.

Knows devices and arrays, nothing of models, sweeps or files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.base import Buffer, Queue


class Observer(Protocol):
    """One observable of one batch."""

    def take(self, samples: Buffer, first_sample: int, n_samples: int, queue: Queue) -> None:
        """Queue what is to be done with finished samples, which lie on the device; must not wait.

        `samples` has the layout [tile][sample][exposure][region][lane]; its first one is `first_sample` of the run.
        """

    def finish(self, queue: Queue) -> Mapping[str, AnyArray]:
        """What it found, after the last chunk: arrays over the batch's instances, without padding, by name."""
