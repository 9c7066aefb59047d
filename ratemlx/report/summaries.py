"""What all instances of a run say together: distributions of metrics, rankings, and where instances diverged.

Every instance counts here, however many there are. Knows runs and arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratemlx.report.cells import Axis
from ratemlx.report.run import Quantity, Run, columns_by_groups
from ratemlx.runtime.arrays import Floats, Int64s

BINS = 40
RANKS = 10
SHOWN_DIVERGED = 100
FITNESS = "fitness"
FIRST = (FITNESS, "mean_FC_", "mean_FR_")
FEW = 40
"""As many numbers are drawn as dots, not as a histogram."""
SHOWN_FIRST = 8


@dataclass(frozen=True, eq=False)
class Distribution:
    """A histogram of one metric over the instances that did not diverge, with its quartiles; `values` are all numbers,
    ascending, where they are few enough to be seen one by one, and empty otherwise."""

    quantity: Quantity
    edges: Floats
    counts: Int64s
    quartiles: tuple[float, float, float]
    n_missing: int
    values: Floats

    @property
    def total(self) -> int:
        """Instances that have a number."""
        return int(self.counts.sum())


@dataclass(frozen=True, eq=False)
class Ranking:
    """Numbers (not places) of the instances with the highest and the lowest values of a metric, best first."""

    quantity: Quantity
    highest: Int64s
    lowest: Int64s


@dataclass(frozen=True)
class Share:
    """How many instances at one value of a parameter diverged."""

    text: str
    diverged: int
    count: int

    @property
    def percent(self) -> float:
        """Share of the instances there."""
        return 100.0 * self.diverged / self.count if self.count else 0.0


def summarise(run: Run, bins: int = BINS) -> tuple[list[Distribution], list[Ranking]]:
    """Distribution and ranking of every metric, in one pass over the columns."""
    distributions, rankings = [], []
    names = [item.name for item in run.metrics]
    for quantity, (_, column) in zip(run.metrics, columns_by_groups(run, names), strict=True):
        values = np.where(run.diverged, np.nan, column)
        distributions.append(distribution(quantity, values, int(run.diverged.sum()), bins))
        rankings.append(_ranking(run, quantity, values))
    return distributions, rankings


def distribution(quantity: Quantity, values: Floats, n_diverged: int = 0, bins: int = BINS) -> Distribution:
    """Histogram of the numbers among `values`; those of diverged instances, which are NaN, are not called missing."""
    numbers = values[np.isfinite(values)]
    missing = len(values) - len(numbers) - n_diverged
    if not len(numbers):
        return Distribution(quantity, np.zeros(2), np.zeros(1, dtype=np.int64), (math.nan,) * 3, missing, numbers)
    low, high = float(numbers.min()), float(numbers.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        counts, edges = np.array([len(numbers)]), np.array([low, high])
    else:
        counts, edges = np.histogram(numbers, bins=bins, range=(low, high))
    first, median, third = (float(value) for value in np.quantile(numbers, [0.25, 0.5, 0.75]))
    few = np.sort(numbers) if len(numbers) <= FEW else np.empty(0)
    quartiles = (first, median, third)
    return Distribution(quantity, edges.astype(np.float64), counts.astype(np.int64), quartiles, missing, few)


def in_groups(distributions: Sequence[Distribution]) -> tuple[list[Distribution], dict[str, list[Distribution]]]:
    """The distributions to look at first, and all of them by exposure, those of a family together.

    First are fitness, connectivity and rate, then one of every family, as far as there is room.
    """
    families = list(dict.fromkeys(item.quantity.family for item in distributions))
    groups: dict[str, list[Distribution]] = {}
    for item in sorted(distributions, key=lambda item: families.index(item.quantity.family)):
        groups.setdefault(item.quantity.exposure, []).append(item)
    preferred = [item for start in FIRST for item in distributions if item.quantity.name.startswith(start)]
    one_each = {item.quantity.family: item for item in reversed(distributions)}
    first = [*preferred, *(one_each[family] for family in families), *distributions]
    return list({item.quantity.name: item for item in first}.values())[:SHOWN_FIRST], groups


def _ranking(run: Run, quantity: Quantity, values: Floats) -> Ranking:
    places = np.flatnonzero(np.isfinite(values))
    order = places[_ends(values[places])]
    return Ranking(quantity, run.instances[order[::-1][:RANKS]], run.instances[order[:RANKS]])


def _ends(values: Floats) -> Int64s:
    """Indices of the lowest and the highest values, ascending; of equal values the first instance comes last."""
    if len(values) <= 2 * RANKS:
        return np.lexsort((-np.arange(len(values)), values)).astype(np.int64)
    parts = np.argpartition(values, (RANKS - 1, len(values) - RANKS))
    chosen = np.unique(np.concatenate([parts[:RANKS], parts[-RANKS:]]))
    return chosen[np.lexsort((-chosen, values[chosen]))].astype(np.int64)


def shares(run: Run, axes: tuple[Axis, ...]) -> dict[str, list[Share]]:
    """Of every axis, how many instances diverged at each of its levels."""
    found = {}
    for axis in axes:
        counts = np.bincount(axis.level, minlength=axis.size)
        diverged = np.bincount(axis.level, weights=run.diverged, minlength=axis.size)
        found[axis.quantity.name] = [
            Share(text, int(diverged[index]), int(counts[index])) for index, text in enumerate(axis.texts)
        ]
    return found


def default_metric(run: Run) -> Quantity | None:
    """What a report shows first: the fitness, else the mean connectivity, else the first metric."""
    preferred = [item for start in FIRST for item in run.metrics if item.name.startswith(start)]
    return next(iter((*preferred, *run.metrics)), None)
