"""Results that a run has written to a folder, read back: the database for all numbers, netCDF for the series.

Knows the store's tables and the labels of results; nothing of how a run is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.runtime.cache import check_place, replacing
from ratemlx.runtime.kept_arrays import FITNESS
from ratemlx.runtime.result import RUN_FILE, SERIES_FILE, Result, make_result, read_run_file
from ratemlx.runtime.series import Quantity, SeriesInfo
from ratemlx.runtime.stored_values import StoredValues, read_best, read_numbers, read_steps
from ratemlx.store import Catalogue, MetricEntry, Registry
from ratemlx.store.files import told
from ratemlx.store.missing import missing_lines
from ratemlx.store.run_file import contents_of
from ratemlx.store.stored_arrays import read_arrays

MAX_VALUES = 1 << 21
"""Values of metrics that are read when a result is opened: 16 MiB. Those of larger runs, when they are asked for."""
PIECE = 1 << 16
"""Instances whose parameters are put into columns at a time."""


def open_result(folder: str | Path) -> Result:
    """Results that were written to a folder, series read when they are needed; raises ResultError.

    Of a run that was enlarged, all points are there, in the order of their numbers.
    """
    path = Path(folder).expanduser()
    record = read_run_file(path)
    if record.get("complete") is not True:
        raise ResultError(f"the run in {path} is not finished", _what_is_missing(path, record))
    return read_result(path, record)


def _what_is_missing(path: Path, record: Mapping[str, Any]) -> str:
    """What no sweep of a run has results of, as far as the database knows, and what computes it."""
    lines = []
    with suppress(ResultError):
        lines = missing_lines(contents_of(path, record).registry, read_numbers(path))
    return "; ".join(lines) or "run the same command again to go on with it"


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
    """What a folder holds of some instances (None: all), given what its run.json says; raises ResultError.

    More than MAX_VALUES metrics stay in the database until they are asked for.
    """
    contents = contents_of(path, record)
    catalogue = contents.catalogue
    wanted = read_numbers(path) if instances is None else instances
    info = folder_info(record, catalogue, contents.registry, wanted)
    provenance = {name: value for name, value in record.items() if name not in ("catalogue", "sweeps", "stamp")}
    values = sum(len(catalogue.regions) if item.regional else 1 for item in catalogue.metrics)
    large = values * len(wanted) > MAX_VALUES
    metrics = (_metrics_to_come if large else _metrics)(path, catalogue, wanted)
    found = make_result(
        info, _series(path, wanted), read_steps(path, wanted), provenance, metrics, partial(read_arrays, path)
    )
    if not large or FITNESS not in found.metrics:
        return found
    return replace(found, rank_stored=partial(read_best, path, catalogue.metric_column(FITNESS), wanted))


def _metrics(path: Path, catalogue: Catalogue, instances: Int64s) -> dict[MetricEntry, AnyArray]:
    """Values of all metrics."""
    found: dict[MetricEntry, AnyArray] = {}
    for regional in (False, True):
        entries = catalogue.of_metrics(regional=regional)
        if entries:
            values = StoredValues.of(path, catalogue, entries).read(instances)
            found.update(zip(entries, values, strict=True))
    return found


def _metrics_to_come(path: Path, catalogue: Catalogue, instances: Int64s) -> dict[MetricEntry, AnyArray]:
    """As `_metrics`, each read by itself when it is asked for."""
    from ratemlx.runtime.lazy_arrays import lazy_array

    found: dict[MetricEntry, AnyArray] = {}
    for item in (*catalogue.of_metrics(regional=False), *catalogue.of_metrics(regional=True)):
        stored = StoredValues.of(path, catalogue, (item,))
        shape = (len(instances), *((len(catalogue.regions),) if item.regional else ()))
        found[item] = lazy_array(shape, np.dtype(np.float64), partial(_read, stored, instances))
    return found


def _read(stored: StoredValues, instances: Int64s, places: Int64s) -> AnyArray:
    return stored.read(instances[places])[0]


def folder_info(record: Mapping[str, Any], catalogue: Catalogue, registry: Registry, numbers: Int64s) -> SeriesInfo:
    """Axes of the results: those of the sweep where there is one, a plain list of points where there are several."""
    values = _parameters(registry, numbers)
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


def _parameters(registry: Registry, numbers: Int64s) -> dict[str, Floats]:
    """Value of every parameter of some instances; those that are the same for all take no memory."""
    fixed = registry.sweeps[0].fixed
    varied = {name: np.empty(len(numbers)) for name in registry.varied}
    for start in range(0, len(numbers), PIECE):
        values = registry.columns(numbers[start : start + PIECE])
        for name, column in varied.items():
            column[start : start + PIECE] = values[name]
    return {
        name: varied[name] if name in varied else np.broadcast_to(np.float64(fixed[name]), (len(numbers),))
        for name in registry.parameters
    }


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
