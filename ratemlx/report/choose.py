"""Chooses the instances whose traces a page or a figure shows: an even selection of the grid, or of the list.

Knows axes and numbers of instances; nothing of series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemlx.report.cells import Axis, Cells
from ratemlx.runtime.arrays import Int64s

MOST_TRACES = 240
MOST_SIDE = 8


@dataclass(frozen=True, eq=False)
class Chosen:
    """Numbers of instances and their levels along each axis; `is_grid` says whether they fill a grid."""

    instances: Int64s
    levels: Int64s
    is_grid: bool
    left_out: int


def choose(axes: tuple[Axis, ...], cells: Cells, traced: Int64s, most: int = MOST_TRACES) -> Chosen:
    """Instances to draw: of every axis evenly spread levels, so that few enough remain."""
    usable = np.isin(cells.first, traced)
    exact = not any(axis.binned for axis in axes)
    if exact and axes and usable.mean() > 0.5:
        shown = [spread(axis.size, MOST_SIDE) for axis in axes]
        while np.prod([len(levels) for levels in shown]) > most:
            largest = max(range(len(shown)), key=lambda index: len(shown[index]))
            shown[largest] = spread(axes[largest].size, len(shown[largest]) - 1)
        for index, levels in enumerate(shown):
            usable &= np.isin(cells.levels[:, index], levels)
        return Chosen(cells.first[usable], cells.levels[usable], True, len(traced) - int(usable.sum()))
    places = np.array(spread(len(traced), min(most, MOST_SIDE**2)), dtype=np.int64)
    return Chosen(traced[places], np.empty((len(places), 0), dtype=np.int64), False, len(traced) - len(places))


def spread(count: int, most: int) -> list[int]:
    """All indices below `count`, or `most` of them evenly spread from the first to the last."""
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()
