"""Results that a run has written to a folder, read back: the database for all numbers, netCDF for the series.

Knows the store's tables and the labels of results; nothing of how a run is made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Floats, Int32s, Int64s
from ratemlx.runtime.cache import check_place, replacing
from ratemlx.runtime.result import RUN_FILE, SERIES_FILE, Metrics, Result, make_result, read_run_file
from ratemlx.runtime.series import Quantity, SeriesInfo
from ratemlx.store import Catalogue, MetricEntry, Registry
from ratemlx.store.catalogue import quoted
from ratemlx.store.files import told
from ratemlx.store.reading import reading
from ratemlx.store.run_file import contents_of
from ratemlx.store.stored_arrays import read_arrays


def open_result(folder: str | Path) -> Result:
    """Results that were written to a folder, series read when they are needed; raises ResultError.

    Of a run that was enlarged, all points are there, in the order of their numbers.
    """
    path = Path(folder).expanduser()
    record = read_run_file(path)
    if record.get("complete") is not True:
        raise ResultError(f"the run in {path} is not finished", "run the same command again to go on with it")
    return read_result(path, record)


def export_best(folder: Path, file: Path) -> None:
    """Write `Result.best` of a folder to a netCDF file; raises ResultError, also where a run ranks no instances."""
    if file.suffix.lower() != ".nc":
        raise ResultError(f"the best instances, with their matrices, cannot be in {file.name}", "end it in .nc")
    check_place(file)
    best = open_result(folder).best
    if best is None:
        raise ResultError(f"the run in {folder} does not rank its instances", "run it with --fitness")
    with told(f"{file} cannot be written"), replacing(file) as temporary:
        best.to_netcdf(temporary, engine="h5netcdf")


def read_result(path: Path, record: dict[str, Any], instances: Int64s | None = None) -> Result:
    """What a folder holds of some instances (None: all), given what its run.json says; raises ResultError."""
    contents = contents_of(path, record)
    catalogue, registry = contents.catalogue, contents.registry
    with reading(path) as connection:
        numbers, steps, metrics = _read_instances(connection, catalogue)
        regional = _read_regional(connection, catalogue, numbers)
    chosen = np.arange(len(numbers)) if instances is None else np.searchsorted(numbers, instances)
    wanted = numbers[chosen]
    info = folder_info(record, catalogue, registry, wanted)
    found = {item: values[chosen] for item, values in {**metrics, **regional}.items()}
    provenance = {name: value for name, value in record.items() if name not in ("catalogue", "sweeps", "stamp")}
    return make_result(info, _series(path, wanted), steps[chosen], provenance, found, partial(read_arrays, path))


def read_steps(path: Path, instances: Int64s) -> Int32s:
    """Step at which each of some instances diverged, or -1; raises ResultError."""
    with reading(path) as connection:
        rows = connection.execute(
            "SELECT instance, diverged_at FROM instances WHERE diverged_at IS NOT NULL"
        ).fetchall()
    steps = np.full(len(instances), -1, dtype=np.int32)
    for number, step in rows:
        steps[instances == number] = step
    return steps


def _read_instances(connection: sqlite3.Connection, catalogue: Catalogue) -> tuple[Int64s, AnyArray, Metrics]:
    entries = catalogue.of_metrics(regional=False)
    columns = [
        "instance",
        "ifnull(diverged_at, -1)",
        *(quoted(catalogue.metric_column(item.column)) for item in entries),
    ]
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM instances ORDER BY instance").fetchall()
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
    metrics = {item: table[:, 2 + position] for position, item in enumerate(entries)}
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int32), metrics


def _read_regional(connection: sqlite3.Connection, catalogue: Catalogue, numbers: Int64s) -> dict[MetricEntry, Floats]:
    entries, regions = catalogue.of_metrics(regional=True), len(catalogue.regions)
    if not entries:
        return {}
    columns = ", ".join(quoted(catalogue.metric_column(item.column)) for item in entries)
    rows = connection.execute(f"SELECT {columns} FROM regional ORDER BY instance, region").fetchall()
    table = np.array(rows, dtype=np.float64).reshape(len(numbers), regions, len(entries))
    return {item: table[:, :, position] for position, item in enumerate(entries)}


def folder_info(record: Mapping[str, Any], catalogue: Catalogue, registry: Registry, numbers: Int64s) -> SeriesInfo:
    """Axes of the results: those of the sweep where there is one, a plain list of points where there are several."""
    values = registry.columns(numbers)
    alone = registry.sweeps[0] if len(registry.sweeps) == 1 and len(numbers) == registry.sweeps[0].count else None
    try:
        n_samples, period = int(record["samples"]), float(record["period"])
        exposures = tuple(Quantity(name, unit, "") for name, unit in record["exposures"].items())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"{RUN_FILE} does not tell what was observed: samples, period and exposures") from error
    return SeriesInfo(
        model=str(record.get("model", "")),
        instances=numbers,
        exposures=exposures,
        times=(np.arange(n_samples, dtype=np.float64) + 0.5) * period,
        regions=catalogue.regions,
        parameters=tuple(
            (Quantity(item.name, item.unit, item.description), values[item.name]) for item in catalogue.parameters
        ),
        swept=tuple(alone.axes) if alone else registry.varied,
        shape=alone.shape if alone else (len(numbers),),
    )


def _series(path: Path, wanted: Int64s) -> object:
    """The series of some instances, read when they are needed, or None if there is no file or it lacks some."""
    file = path / SERIES_FILE
    if not file.exists():
        return None
    import xarray as xr

    try:
        data = xr.open_dataset(file, engine="h5netcdf", decode_times=False)
        there = data["instance"].values
    except (OSError, KeyError, ValueError) as error:
        raise ResultError(
            f"{file} is damaged: {str(error).splitlines()[0]}",
            "put a copy of it back, or run the same command with --restart; numbers are safe in the database",
        ) from error
    if np.array_equal(there, wanted):
        return data["time_series"].variable
    if not np.isin(wanted, there).all():
        return None
    return data["time_series"].isel(instance=np.searchsorted(there, wanted)).variable
