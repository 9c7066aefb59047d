"""Reads a run's time series, and stands in for metrics where a run has none: means over its second half.

Knows time_series.nc as runs write it, with or without a database beside it, and reads it one instance at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.report.reduce import line_names, mean_over_regions, reduce_series
from ratemlx.report.run import METRICS_REMEDY, NO_TRACES, TRACES, Matrix, Part, Quantity, Run, Sweep, Trace, TraceSet
from ratemlx.runtime.arrays import Floats, Int64s, bytes_text
from ratemlx.runtime.series import SETTLED, settled, variable_name

if TYPE_CHECKING:
    import xarray as xr

SERIES_FILE = "time_series.nc"
MOST_BYTES = 4 << 30
"""Series up to this size are read wholly for their means; that takes about ten seconds."""
STAND_INS = {
    "mean": f"mean over {SETTLED} and over regions",
    "sd": f"standard deviation over {SETTLED}, mean over regions",
}


@dataclass(frozen=True, eq=False)
class SeriesFile:
    """What a file of series says of itself; the series stay in the file."""

    path: Path
    instances: Int64s
    exposures: tuple[Quantity, ...]
    regions: tuple[str, ...]
    start: float
    stop: float
    size: int

    @property
    def metrics(self) -> tuple[Quantity, ...]:
        """What stands in for metrics: none if it would take too long."""
        kinds = STAND_INS if self.size <= MOST_BYTES else {}
        return tuple(
            Quantity(f"{kind}_{item.name}", item.unit, f"{item.name}: {text}", item.name)
            for item in self.exposures
            for kind, text in kinds.items()
        )


def read_series_file(path: Path) -> SeriesFile:
    """What the axes of a file of series are; raises ResultError."""
    with _opened(path) as data:
        times = data["time"].values
        period = float(times[1] - times[0]) if len(times) > 1 else 2.0 * float(times[0])
        units = data["exposure_unit"].values
        return SeriesFile(
            path=path,
            instances=data["instance"].values.astype(np.int64),
            exposures=tuple(
                Quantity(str(name), str(unit), "") for name, unit in zip(data["exposure"].values, units, strict=True)
            ),
            regions=tuple(str(label) for label in data["region"].values),
            start=float(times[0]) - period / 2,
            stop=float(times[-1]) + period / 2,
            size=int(data["time_series"].nbytes),
        )


def open_series_run(folder: Path, provenance: Mapping[str, Any]) -> Run:
    """A run that has time series and no database; raises ResultError where they cannot be read."""
    file = read_series_file(folder / SERIES_FILE)
    with _opened(file.path) as data:
        columns = {name: data[variable_name(name)] for name in str(data.attrs["parameters"]).split()}
        parameters = tuple(
            Quantity(name, str(item.attrs["units"]), str(item.attrs["description"])) for name, item in columns.items()
        )
        values = {name: item.values.astype(np.float64) for name, item in columns.items()}
        swept = tuple(str(data.attrs["swept"]).split())
        run = Run(
            folder=folder,
            model=str(data.attrs["model"]),
            provenance=provenance,
            sweeps=(_sweep(provenance, {name: values[name] for name in swept}, len(file.instances)),),
            parameters=parameters,
            swept=swept,
            metrics=(),
            regions=file.regions,
            instances=file.instances,
            seeds=np.full(len(file.instances), _seed(provenance), dtype=np.int64),
            diverged_at=data["diverged_at"].values.astype(np.int64),
            read=partial(_read_columns, values, len(file.instances)),
            traces=lambda _: NO_TRACES,
            traced=np.empty(0, dtype=np.int64),
            matrices=_no_matrices,
            missing=(Part("metrics, best fits and connectivity matrices", METRICS_REMEDY),),
        )
    return with_series(run, file)


def with_series(run: Run, file: SeriesFile) -> Run:
    """The run with the traces that a file holds, and with means of its series if it has no metrics."""
    missing = tuple(part for part in run.missing if part.name != TRACES)
    run = replace(run, traces=partial(_read_traces, file), traced=file.instances, missing=missing)
    if run.metrics:
        return run
    if not file.metrics:
        part = Part(f"means of the time series, which are {bytes_text(file.size)}", METRICS_REMEDY)
        return replace(run, missing=(*missing, part))
    return replace(run, metrics=file.metrics, read=_StandIns(run, file))


def _read_columns(values: Mapping[str, Floats], count: int, names: Sequence[str]) -> Floats:
    return np.stack([values[name] for name in names], axis=1) if names else np.empty((count, 0))


def _no_matrices(_: Sequence[int]) -> tuple[Matrix, ...]:
    return ()


def _seed(provenance: Mapping[str, Any]) -> int:
    seed = provenance.get("seed", 0)
    return seed if isinstance(seed, int) else 0


def _sweep(provenance: Mapping[str, Any], columns: Mapping[str, Floats], count: int) -> Sweep:
    axes = {name: np.unique(values).tolist() for name, values in columns.items()}
    command = provenance.get("command", "")
    words = " ".join(map(str, command)) if isinstance(command, list) else str(command)
    kind = "grid" if int(np.prod([len(values) for values in axes.values()])) == count else "points"
    return Sweep(0, count, kind, axes, words, str(provenance.get("date", "")))


class _StandIns:
    """Columns of a run with means of its series among them, which are worked out together the first time."""

    def __init__(self, run: Run, file: SeriesFile) -> None:
        self._run, self._file = run, file
        self._kept: dict[str, Floats] = {}

    def __call__(self, names: Sequence[str]) -> Floats:
        ours = {item.name for item in self._file.metrics}
        if not self._kept and ours & set(names):
            self._kept = self._means()
        others = [name for name in names if name not in ours]
        columns = dict(zip(others, self._run.read(others).T, strict=True)) if others else {}
        columns |= self._kept
        return np.stack([columns[name] for name in names], axis=1) if names else np.empty((len(self._run.instances), 0))

    def _means(self) -> dict[str, Floats]:
        table = np.full((len(self._run.instances), len(self._file.exposures), len(STAND_INS)), np.nan)
        places = np.searchsorted(self._run.instances, self._file.instances)
        with _opened(self._file.path) as data:
            for index, place in enumerate(places.tolist()):
                chosen = settled(data.sizes["time"])
                values = data["time_series"][index, :, chosen].values.astype(np.float64)
                with np.errstate(invalid="ignore", over="ignore"):
                    table[place, :, 0] = values.mean(axis=(1, 2))
                    table[place, :, 1] = mean_over_regions(values.std(axis=1))
        table[~np.isfinite(table) | self._run.diverged[:, None, None]] = np.nan
        return {item.name: column for item, column in zip(self._file.metrics, _columns(table), strict=True)}


def _columns(table: Floats) -> list[Floats]:
    return list(table.reshape(len(table), -1).T)


def _read_traces(file: SeriesFile, instances: Sequence[int]) -> TraceSet:
    """Reduced series of some instances."""
    traces = []
    with _opened(file.path) as data:
        for place, instance in zip(np.searchsorted(file.instances, instances).tolist(), instances, strict=True):
            traces.append(Trace(int(instance), reduce_series(data["time_series"][place].values)))
    return TraceSet(file.start, file.stop, file.exposures, line_names(file.regions), tuple(traces))


@contextmanager
def _opened(path: Path) -> Iterator[xr.Dataset]:
    """The file of series, read as far as it is asked for; raises ResultError for whatever is wrong with it."""
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as data:
            yield data
    except FileNotFoundError as error:
        raise ResultError(
            f"there are no results in {path.parent}", "give the folder that a run wrote with -o"
        ) from error
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
