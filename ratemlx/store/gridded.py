"""Results of one sweep as labelled arrays: a grid over its axes, or a list of points.

The one module of the store that needs xarray; import it late, for xarray takes half a second. Knows the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Floats, Int64s
from ratemlx.store.catalogue import Catalogue, MetricEntry, quoted
from ratemlx.store.database import Contents
from ratemlx.store.points import Points
from ratemlx.store.query import ask
from ratemlx.store.reading import reading
from ratemlx.store.run_file import read_contents

POINT = "point"
REGION = "region"
NOT_THERE = -1


def results_table(
    folder: str | Path, *, columns: Sequence[str] | None = None, where: str = "", sweep: int | None = None
) -> xr.Dataset:
    """Metrics of one sweep of a run (the latest, unless `sweep` gives its number) with units; raises ResultError.

    Dimensions are the swept parameters of a grid, or `point` for a table of points; metrics of regions have `region`
    as well. `columns` chooses metrics; `where` is a condition in SQL over `instances`: points that do not meet it, and
    those that are not computed yet, are NaN, and their `instance` is -1.
    """
    folder = Path(folder)
    with reading(folder):  # says by itself what is wrong with the folder
        contents = read_contents(folder)
        number = _sweep_number(contents, sweep)
        chosen = _chosen(contents.catalogue, columns)
        points = contents.registry.sweeps[number]
        numbers = contents.registry.registration(number).instances
        return _dataset(_Reader(folder, contents, points, numbers, where), chosen)


class _Reader:
    """Columns of the database in the order of a sweep's points."""

    def __init__(self, folder: Path, contents: Contents, points: Points, numbers: Int64s, where: str) -> None:
        self.catalogue, self.points, self.contents = contents.catalogue, points, contents
        self._folder, self._where = folder, f"WHERE {where}" if where else ""
        found = self._matrix("instances", ["instance", "diverged_at"])
        self._sorted = found[:, 0].astype(np.int64)
        self._place = np.searchsorted(self._sorted, numbers)
        self._place[self._place == len(self._sorted)] = 0
        self._there = np.isin(numbers, self._sorted)
        self.numbers = np.where(self._there, numbers, NOT_THERE)
        self.steps = np.nan_to_num(self._of_points(found[:, 1]), nan=-1).astype(np.int64)

    def instances(self, names: Sequence[str]) -> list[Floats]:
        """Columns of metrics, one value per point."""
        matrix = self._matrix("instances", names) if names else np.empty((0, 0))
        return [self._of_points(matrix[:, index]) for index in range(len(names))]

    def regions(self, names: Sequence[str]) -> list[Floats]:
        """Columns of regions, one row per point."""
        count = len(self.catalogue.regions)
        matrix = self._matrix("regional", names).reshape(-1, count, len(names))
        return [self._of_points(matrix[:, :, index]) for index in range(len(names))]

    def _matrix(self, table: str, names: Sequence[str]) -> Floats:
        listed = ", ".join(map(quoted, names))
        order = "instance" if table == "instances" else "instance, region"
        chosen = self._where if table == "instances" or not self._where else f"WHERE instance IN ({self._ids})"
        rows = ask(self._folder, f"SELECT {listed} FROM {table} {chosen} ORDER BY {order}")
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))

    @property
    def _ids(self) -> str:
        return f"SELECT instance FROM instances {self._where}"

    def _of_points(self, values: Floats) -> Floats:
        """Values by row of the database, put where the points are."""
        if not len(values):
            return np.full((len(self._there), *values.shape[1:]), np.nan)
        found = values[self._place]
        found[~self._there] = np.nan
        return found


def _dataset(reader: _Reader, chosen: Sequence[MetricEntry]) -> xr.Dataset:
    catalogue, points = reader.catalogue, reader.points
    swept = [catalogue.parameter_column(name) for name in points.axes]
    dimensions = tuple(swept) if points.kind == "grid" else (POINT,)
    shape = points.shape
    data: dict[str, Any] = {
        "instance": (dimensions, reader.numbers.reshape(shape), {"description": "number in the run, -1 if not there"}),
        "diverged_at": (dimensions, reader.steps.reshape(shape), {"description": "step, -1 if it did not"}),
    }
    plain = [item for item in chosen if not item.regional]
    regional = [item for item in chosen if item.regional]
    for item, values in zip(plain, reader.instances(_names(catalogue, plain)), strict=True):
        data[catalogue.metric_column(item.column)] = (dimensions, values.reshape(shape), _attributes(item))
    if regional:
        for item, values in zip(regional, reader.regions(_names(catalogue, regional)), strict=True):
            full = values.reshape(*shape, len(catalogue.regions))
            data[catalogue.metric_column(item.column)] = ((*dimensions, REGION), full, _attributes(item))
    coordinates = _coordinates(catalogue, points)
    if regional:
        coordinates[REGION] = list(catalogue.regions)
    about = {"model": str(reader.contents.provenance.get("model", "")), "command": points.command, "date": points.date}
    return xr.Dataset(data, coordinates, {name: text for name, text in about.items() if text})


def _coordinates(catalogue: Catalogue, points: Points) -> dict[str, Any]:
    """Values of every parameter: along its axis, per point, or one for all."""
    entries = {item.name: {"units": item.unit, "description": item.description} for item in catalogue.parameters}
    found: dict[str, Any] = {}
    for name, values in points.axes.items():
        column = catalogue.parameter_column(name)
        found[column] = (column if points.kind == "grid" else POINT, values, entries[name])
    for name, value in points.fixed.items():
        found[catalogue.parameter_column(name)] = ((), value, entries[name])
    return found


def _names(catalogue: Catalogue, entries: Sequence[MetricEntry]) -> list[str]:
    return [catalogue.metric_column(item.column) for item in entries]


def _attributes(item: MetricEntry) -> dict[str, str]:
    return {"units": item.unit, "description": item.description}


def _sweep_number(contents: Contents, sweep: int | None) -> int:
    count = len(contents.registry.sweeps)
    number = count - 1 if sweep is None else sweep
    if not 0 <= number < count:
        raise ResultError(f"the run has no sweep {number}", f"its sweeps are 0 to {count - 1}" if count else None)
    return number


def _chosen(catalogue: Catalogue, columns: Sequence[str] | None) -> list[MetricEntry]:
    from ratemlx.runtime.arrays import did_you_mean

    if columns is None:
        return list(catalogue.metrics)
    known = {catalogue.metric_column(item.column): item for item in catalogue.metrics}
    for name in columns:
        if name not in known:
            raise ResultError(f"the run has no metric {name!r}", did_you_mean(name, known))
    return [known[name] for name in columns]
