"""Time limits in tests that a busy machine does not break: what counts is the quickest of a few tries."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 4


def seconds_of(action: Callable[[], object], enough: float = 1.0) -> float:
    """Processor time of the quickest of a few calls; stops at the first below `enough`."""
    best = float("inf")
    for _ in range(TRIES):
        started = time.process_time()
        action()
        best = min(best, time.process_time() - started)
        if best < enough:
            break
    return best
