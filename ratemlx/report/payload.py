"""What the scripts of a page draw from, in one JSON object. Knows runs, cells and rankings; nothing of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ratemlx.report.cells import Axis, Cells
from ratemlx.report.choose import choose
from ratemlx.report.colours import COOLWARM, VIRIDIS
from ratemlx.report.pack import number, packed
from ratemlx.report.run import Matrix, Quantity, Run, columns_by_groups
from ratemlx.report.summaries import FITNESS, Ranking, default_metric
from ratemlx.runtime.arrays import Floats, Int64s

MOST_MATRIX_BYTES = 6 << 20
"""Of all matrices of instances together, before they are written as text; those of the best are always there."""


def payload(run: Run, cells: Cells, rankings: Sequence[Ranking]) -> dict[str, Any]:
    """Everything, ready to be written as JSON."""
    first = default_metric(run)
    matrices, is_full = _matrices(run, rankings)
    return {
        "model": run.model,
        "axes": [_axis(axis) for axis in cells.axes],
        "metrics": [_metric(item, cells.means[:, place]) for place, item in enumerate(run.metrics)],
        "firstMetric": run.metrics.index(first) if first else -1,
        "cells": _cells(cells),
        "traces": _traces(run, cells),
        "ranks": _ranks(run, rankings),
        "matrices": [_matrix(item) for item in (*matrices, *run.references) if _is_square(item)],
        "matricesLeftOut": is_full,
        "regions": list(run.regions),
        "colours": {"viridis": VIRIDIS.split(), "coolwarm": COOLWARM.split()},
    }


def _quantity(item: Quantity) -> dict[str, Any]:
    return {
        "name": item.name,
        "label": item.label,
        "unit": item.unit if item.unit != "1" else "",
        "description": item.description,
        "exposure": item.exposure,
    }


def _axis(axis: Axis) -> dict[str, Any]:
    default = axis.quantity.default
    middle = (axis.size - 1) // 2 if default is None else int(np.abs(axis.values - default).argmin())
    return _quantity(axis.quantity) | {"texts": list(axis.texts), "initial": -1 if axis.binned else middle}


def _metric(item: Quantity, means: Floats) -> dict[str, Any]:
    """A metric with the ranges that colours may cover: all cells, and those between the 2nd and the 98th percentile."""
    finite = means[np.isfinite(means)]
    bounds = np.quantile(finite, [0.0, 0.02, 0.98, 1.0]).tolist() if len(finite) else [None] * 4
    return _quantity(item) | {"range": [bounds[0], bounds[3]], "inner": [bounds[1], bounds[2]]}


def _cells(cells: Cells) -> dict[str, Any]:
    return {
        "levels": packed(cells.levels.T, "u1"),
        "first": packed(cells.first, "i4"),
        "count": packed(cells.count, "u4"),
        "diverged": packed(cells.diverged, "u4"),
        "means": packed(cells.means.T, "f4"),
    }


def _traces(run: Run, cells: Cells) -> dict[str, Any] | None:
    if not len(run.traced):
        return None
    chosen = choose(cells.axes, cells, run.traced)
    drawn = run.traces(chosen.instances.tolist())
    if not drawn.traces:
        return None
    places = {int(instance): place for place, instance in enumerate(chosen.instances)}
    kept = np.array([places[trace.instance] for trace in drawn.traces], dtype=np.int64)
    values = np.stack([trace.values for trace in drawn.traces])
    return {
        "start": drawn.start,
        "stop": drawn.stop,
        "exposures": [_quantity(item) for item in drawn.exposures],
        "lines": list(drawn.lines),
        "isGrid": chosen.is_grid,
        "leftOut": chosen.left_out,
        "levels": packed(chosen.levels[kept].T, "u1"),
        "shape": list(values.shape),
        "values": packed(values, "f4"),
        **_instances(run, chosen.instances[kept]),
    }


def _instances(run: Run, instances: Int64s) -> dict[str, Any]:
    """Numbers, steps of divergence, seeds and swept values of some instances."""
    places = np.searchsorted(run.instances, instances)
    columns = [values[places].tolist() for _, values in columns_by_groups(run, run.swept)]
    return {
        "instances": instances.tolist(),
        "divergedAt": run.diverged_at[places].tolist(),
        "seeds": run.seeds[places].tolist(),
        "swept": [[number(value) for value in column] for column in columns],
    }


def _ranks(run: Run, rankings: Sequence[Ranking]) -> dict[str, Any]:
    """Rankings by instance, and every metric of the instances that they name."""
    empty = [np.empty(0, dtype=np.int64)]
    named = np.unique(np.concatenate([*empty, *(ends for item in rankings for ends in (item.highest, item.lowest))]))
    places = np.searchsorted(run.instances, named)
    columns = columns_by_groups(run, [item.name for item in run.metrics])
    return {
        **_instances(run, named),
        "parameters": [_quantity(item) for item in run.swept_parameters],
        "values": [[number(value) for value in values[places].tolist()] for _, values in columns],
        "highest": [item.highest.tolist() for item in rankings],
        "lowest": [item.lowest.tolist() for item in rankings],
    }


def _matrices(run: Run, rankings: Sequence[Ranking]) -> tuple[list[Matrix], bool]:
    """Matrices of instances that rankings name, the fittest first, and whether there was no room for all."""
    ordered = sorted(rankings, key=lambda item: item.quantity.name != FITNESS)
    named = (instance for item in ordered for ends in (item.highest, item.lowest) for instance in ends.tolist())
    kept: list[Matrix] = []
    size = 0
    for instance in dict.fromkeys(named):
        found = run.matrices([instance])
        size += sum(4 * item.values.size for item in found)
        if kept and size > MOST_MATRIX_BYTES:
            return kept, True
        kept.extend(found)
    return kept, False


def _is_square(item: Matrix) -> bool:
    return item.values.ndim == 2 and len({*item.values.shape}) == 1


def _matrix(item: Matrix) -> dict[str, Any]:
    return {
        "instance": item.instance,
        "name": item.name,
        "exposure": item.exposure,
        "size": len(item.values),
        "values": packed(item.values, "f4"),
    }
