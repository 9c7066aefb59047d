"""Instances put into cells of a grid over the swept parameters, few enough for one page.

A cell is one instance where the sweep is a small grid without repeats; otherwise instances that differ in their seed,
or in values that share a bin, make one cell, which holds their means. Knows runs and arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ratemlx.report.run import Quantity, Run, columns_by_groups
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s

MOST_LEVELS = 64
BINS = 32
MOST_BYTES = 8 << 20
"""Of all values of all cells together, before they are written as text."""
MOST_CELLS = 40_000
LOG_RATIO = 200.0
SEED = Quantity("seed", "", "seed of the noise and of drawn initial states")


@dataclass(frozen=True, eq=False)
class Axis:
    """A swept parameter as the axis of a heat map: its levels with their texts; `level` is that of every instance."""

    quantity: Quantity
    texts: tuple[str, ...]
    values: Floats
    binned: bool
    level: Int64s

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a run: levels (cell, axis), first instance, how many instances, how many diverged, means of metrics."""

    axes: tuple[Axis, ...]
    levels: Int64s
    first: Int64s
    count: Int64s
    diverged: Int64s
    means: Floats

    @property
    def most(self) -> int:
        """Instances of the fullest cell."""
        return int(self.count.max(initial=0))

    def remarks(self, run: Run) -> list[str]:
        """What was put together, in sentences; none if every cell is one instance at its exact values."""
        binned = [axis.quantity.name for axis in self.axes if axis.binned]
        lines = []
        if binned:
            lines.append(f"Values of {', '.join(binned)} are put into bins.")
        if self.most > 1:
            lines.append(
                f"The maps show {len(run.instances):,} instances as {len(self.count):,} cells, each the mean of up to "
                f"{self.most:,} instances that did not diverge. Rankings and distributions use every instance."
            )
        return lines


def make_cells(run: Run, most_bytes: int = MOST_BYTES) -> Cells:
    """The cells of a run, as fine as `most_bytes` allow."""
    axes = _axes(run)
    most = max(1, min(MOST_CELLS, most_bytes // (4 * max(1, len(run.metrics)))))
    keys = _cell_keys(axes, len(run.instances))
    while keys.max(initial=0) >= most and any(axis.size > 1 for axis in axes):
        largest = max(range(len(axes)), key=lambda index: axes[index].size)
        axes = tuple(_coarser(axis) if index == largest else axis for index, axis in enumerate(axes))
        keys = _cell_keys(axes, len(run.instances))
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    diverged = np.bincount(keys, weights=run.diverged, minlength=len(counts)).astype(np.int64)
    means = np.empty((len(counts), len(run.metrics)))
    for position, (_, values) in enumerate(columns_by_groups(run, [item.name for item in run.metrics])):
        means[:, position] = _means(keys, len(counts), np.where(run.diverged, np.nan, values))
    levels = np.stack([axis.level[first] for axis in axes], axis=1) if axes else np.empty((len(first), 0), np.int64)
    return Cells(axes, levels, run.instances[first], counts, diverged, means)


def _means(keys: Int64s, size: int, values: Floats) -> Floats:
    finite = np.isfinite(values)
    counts = np.bincount(keys[finite], minlength=size)
    sums = np.bincount(keys[finite], weights=values[finite], minlength=size)
    means: Floats = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
    return means


def _axes(run: Run) -> tuple[Axis, ...]:
    axes = [_axis(quantity, values) for quantity, values in _swept_columns(run)]
    seeds = np.unique(run.seeds)
    repeats = 1 < len(seeds) <= min(MOST_LEVELS, len(run.instances) // 2)
    if repeats:
        axes.append(_axis(SEED, run.seeds.astype(np.float64)))
    return tuple(axis for axis in axes if axis.size > 1)


def _swept_columns(run: Run) -> list[tuple[Quantity, Floats]]:
    quantities = run.swept_parameters
    return [
        (quantity, values)
        for quantity, (_, values) in zip(
            quantities, columns_by_groups(run, [item.name for item in quantities]), strict=True
        )
    ]


def _axis(quantity: Quantity, values: Floats) -> Axis:
    levels, level = np.unique(values, return_inverse=True)
    if len(levels) <= MOST_LEVELS:
        texts = level_texts(levels)
        return Axis(quantity, texts, levels, False, level.astype(np.int64))
    edges = _edges(values)
    level = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
    texts = tuple(f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges))
    return Axis(quantity, texts, (edges[:-1] + edges[1:]) / 2, True, level.astype(np.int64))


def level_texts(levels: Floats) -> tuple[str, ...]:
    """The shortest texts, of equal precision, that tell the levels apart."""
    for digits in range(3, 17):
        texts = tuple(f"{value:.{digits}g}" for value in levels)
        if len(set(texts)) == len(texts):
            return texts
    return tuple(repr(float(value)) for value in levels)


def _edges(values: Floats) -> Floats:
    """Bounds of bins: logarithmic if values over decades have their median nearer to the middle on that scale."""
    low, middle, high = (float(value) for value in np.quantile(values, [0.0, 0.5, 1.0]))
    if low > 0 and high / low > LOG_RATIO:
        linear, logarithmic = (middle - low) / (high - low), np.log(middle / low) / np.log(high / low)
        if abs(logarithmic - 0.5) < abs(linear - 0.5):
            return np.geomspace(low, high, BINS + 1)
    return np.linspace(low, high, BINS + 1)


def _coarser(axis: Axis) -> Axis:
    """Neighbouring levels joined two by two."""
    pairs = [range(first, min(first + 2, axis.size)) for first in range(0, axis.size, 2)]
    texts = tuple(
        axis.texts[pair[0]]
        if len(pair) == 1
        else f"{axis.texts[pair[0]].split(' to ')[0]} to {axis.texts[pair[-1]].split(' to ')[-1]}"
        for pair in pairs
    )
    values = np.array([axis.values[list(pair)].mean() for pair in pairs])
    return Axis(axis.quantity, texts, values, True, axis.level // 2)


def _cell_keys(axes: tuple[Axis, ...], count: int) -> Int64s:
    """A number for every instance, the same within a cell and without gaps; built up so that it cannot overflow."""
    keys: AnyArray = np.zeros(count, dtype=np.int64)
    for axis in axes:
        _, keys = np.unique(keys * axis.size + axis.level, return_inverse=True)
    return keys.astype(np.int64)
