"""Which instances of a run's sweeps have no results on disk, and the command that computes them. Knows numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ratemlx.runtime.arrays import Int64s
from ratemlx.store.points import Registry

MOST_STRETCHES = 8
NOT_AGAIN = re.compile(r"\s--restart(?=\s|$)|\s--part[=\s]\S+")
"""What a command must not be given again with: it would discard what is there, or compute a part."""


def missing_lines(registry: Registry, present: Int64s) -> list[str]:
    """A line for every sweep that lacks some of its own instances; `present` has the numbers that are there."""
    return list(_lines(registry, present))


def _lines(registry: Registry, present: Int64s) -> Iterator[str]:
    for sweep, points in enumerate(registry.sweeps):
        registration = registry.registration(sweep)
        own = registration.instances[registration.new]
        lost = own[~np.isin(own, present, assume_unique=True)]
        if len(lost):
            command = NOT_AGAIN.sub("", points.command).strip()
            how = f"this computes them: {command}" if command else "the command of the sweep computes them"
            yield f"{len(lost):,} of {len(own):,} instances are missing: {stretches(lost)}; {how}"


def stretches(numbers: Int64s) -> str:
    """Ascending numbers as stretches: "0 to 3, 8"; no more than a few of them."""
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    parts = np.split(numbers, breaks[:MOST_STRETCHES])[:MOST_STRETCHES]
    texts = [f"{part[0]}" if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts]
    return ", ".join([*texts, "..."] if len(breaks) >= MOST_STRETCHES else texts)
