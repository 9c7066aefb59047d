"""Results as a user gets them: labelled arrays, parameters and status of every instance, saved and opened again.

xarray takes half a second to import, so it comes when the first result is made: a rank that makes none is spared it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.fitness import Best, rank
from ratemlx.fitness.ranking import BEST
from ratemlx.runtime.arrays import AnyArray, Int32s, Int64s
from ratemlx.runtime.cache import replacing
from ratemlx.runtime.kept_arrays import (
    FITNESS,
    RANKED,
    Labels,
    ReadArrays,
    best_instances,
    bold_signals,
    connectivity,
    nothing_kept,
)
from ratemlx.runtime.series import (
    DIMENSIONS,
    SeriesInfo,
    status_texts,
    units_text,
    variable_name,
)
from ratemlx.store import MetricEntry
from ratemlx.store.layout import DATABASE_FILE
from ratemlx.store.matrices import FC_NAME, SERIES_NAME
from ratemlx.store.run_file import read_record

if TYPE_CHECKING:
    import xarray as xr

SERIES_FILE = "time_series.nc"
PARAMETERS_FILE = "parameters.csv"
RUN_FILE = "run.json"
FIGURE_FILE = "traces.png"
ROWS_AT_ONCE = 10_000
MAX_TEXTS = 100_000
"""Instances whose status is made as text at once."""


Metrics = Mapping[MetricEntry, AnyArray]
"""Values of every metric: (instance,), or (instance, region)."""


def result_files(folder: Path) -> tuple[Path, ...]:
    """What a run has written into a folder for people to open."""
    names = (PARAMETERS_FILE, RUN_FILE, DATABASE_FILE, SERIES_FILE, FIGURE_FILE)
    return tuple(folder / name for name in names if (folder / name).exists())


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a run gave.

    `time_series` has dimensions (instance, exposure, time, region), with swept parameters as coordinates over
    instances and units in attributes; `series` is the same, or None where it was not kept. `metrics` has a variable
    per metric and exposure, over instances or over instances and regions, NaN where it is not defined. `parameters`
    holds every parameter's value per instance; `status` says per instance "ok" or "diverged", with the step as
    coordinate `diverged_at` (-1 if it did not). `provenance` is what run.json holds. What is kept of some instances,
    `best`, `fc` and `bold`, is read when it is first asked for; so are metrics of runs of millions of instances.
    """

    series: xr.DataArray | None
    parameters: xr.Dataset
    status: xr.DataArray
    metrics: xr.Dataset
    info: SeriesInfo
    provenance: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    read_arrays: ReadArrays = nothing_kept
    rank_stored: Callable[[int], Best] | None = None

    @property
    def time_series(self) -> xr.DataArray:
        """The time series of all instances; raises ResultError where they were not kept."""
        if self.series is None:
            hint = 'run it with --keep all (keep="all"); those of the best, if they were kept, are in Result.best'
            raise ResultError("the time series of this run were not kept", hint)
        return self.series

    @cached_property
    def best(self) -> xr.Dataset | None:
        """The fittest instances, best first, with what is kept of them; None where the run does not rank them.

        Over `instance`, with swept parameters as coordinates: `fitness` and its terms; `FC_EXPOSURE`, (instance,
        region, other_region); and with keep="best" `series_EXPOSURE`, (instance, time, region), of the samples after
        the transient. Series of BOLD signals have `volume_time` for `time`. Times are in ms. Raises ResultError.
        """
        if FITNESS not in self.metrics:
            return None
        chosen = self.ranked(int(self.provenance.get(RANKED, 10))).instances
        return best_instances(self.read_arrays, self.metrics, self._labels, chosen)

    def ranked(self, count: int = BEST) -> Best:
        """Numbers and fitness of the fittest instances, best first, each once; of a run that ranks them."""
        if self.rank_stored is not None:
            return self.rank_stored(count)
        numbers, first = np.unique(self.info.instances, return_index=True)
        return rank(self.metrics[FITNESS].values[first], numbers, count)

    @cached_property
    def fc(self) -> xr.DataArray | None:
        """Functional connectivity (instance, exposure, region, other_region) of the instances that it is kept of.

        These are all that did not diverge with keep_fc=True, else the best; None if there are none. Raises ResultError.
        """
        return connectivity(self.read_arrays(FC_NAME), self._labels)

    @cached_property
    def bold(self) -> xr.DataArray | None:
        """BOLD signals (instance, exposure, time, region) in percent, of the instances that they are kept of.

        `time` has the ends of volumes, in ms. Kept as time series are: of all, of the best, or of none, which gives
        None. Raises ResultError.
        """
        return bold_signals(self.read_arrays(SERIES_NAME), self._labels)

    @cached_property
    def _labels(self) -> Labels:
        info, units = self.info, {str(name): item for name, item in self.parameters.data_vars.items()}
        names = [variable_name(name) for name in info.swept]
        return Labels(
            instances=info.instances,
            swept={name: ("instance", units[name].values, units[name].attrs) for name in names},
            regions=info.regions,
            times=info.times,
            volume_start=float(self.provenance.get("transient") or 0.0),
            repetition=float(self.provenance.get("TR") or 0.0),
        )

    def __repr__(self) -> str:
        instances, _, samples, regions = self.info.sizes
        swept = f" ({', '.join(self.info.swept)})" if self.info.swept else ""
        names = ", ".join(quantity.name for quantity in self.info.exposures)
        return (
            f"<Result of {self.info.model}: {instances:,} instances{swept}, exposures {names}, {samples:,} samples,"
            f" {regions:,} regions, {len(self.diverged):,} diverged>"
        )

    @property
    def diverged(self) -> AnyArray:
        """Indices of instances that left the finite numbers."""
        return np.flatnonzero(self.status.coords["diverged_at"].values >= 0)

    def save(self, folder: str | Path) -> None:
        """Write a folder as a run writes it, with its database, series if there are any, and parameters.

        Raises ResultError, also if the folder holds a run already.
        """
        from ratemlx.runtime.saving import save

        save(self, Path(folder))


def make_result(
    info: SeriesInfo,
    series: object,
    diverged_at: Int32s,
    provenance: Mapping[str, Any],
    metrics: Metrics,
    arrays: ReadArrays = nothing_kept,
    warnings: tuple[str, ...] = (),
) -> Result:
    """Labels put on arrays; `series` is an array or a lazily read variable of shape `info.sizes`, or None.

    `arrays` reads what is kept of single instances.
    """
    import xarray as xr

    # One for all: given as an array, each of them would copy it.
    instance = xr.Variable("instance", info.instances).to_index_variable()
    parameters = {
        quantity.name: ("instance", values, {"units": quantity.unit, "description": quantity.description})
        for quantity, values in info.parameters
    }
    axes: dict[str, Any] = {
        "instance": instance,
        "exposure": [quantity.name for quantity in info.exposures],
        "exposure_unit": ("exposure", [quantity.unit for quantity in info.exposures]),
        "time": ("time", info.times, {"units": "ms"}),
        "region": list(info.regions),
    }
    swept = {variable_name(name): parameters[name] for name in info.swept}
    time_series = None
    if series is not None:
        attributes = {"units": units_text(info)}
        time_series = xr.DataArray(series, dims=DIMENSIONS, coords={**axes, **swept}, name=info.model, attrs=attributes)
    status = xr.Dataset(
        {"status": ("instance", _status(diverged_at))},
        coords={"instance": instance, "diverged_at": ("instance", diverged_at)},
    )["status"]
    columns = {variable_name(name): column for name, column in parameters.items()}
    parameter_values = xr.Dataset(columns, coords={"instance": instance})
    record = {**provenance, "diverged": int((diverged_at >= 0).sum())}
    found = xr.Dataset(
        {item.column: (("instance", "region")[: metrics[item].ndim], metrics[item], _about(item)) for item in metrics},
        coords={"instance": instance, "region": list(info.regions), **swept},
    )
    return Result(time_series, parameter_values, status, found, info, record, warnings, arrays)


def _status(diverged_at: Int32s) -> Any:
    """How each instance ended, as text; of millions, which would take 32 bytes each, when somebody asks."""
    if len(diverged_at) <= MAX_TEXTS:
        return status_texts(diverged_at)
    from ratemlx.runtime.lazy_arrays import lazy_array

    return lazy_array(diverged_at.shape, status_texts(diverged_at[:1]).dtype, partial(_texts_of, diverged_at))


def _texts_of(diverged_at: Int32s, places: Int64s) -> AnyArray:
    return status_texts(diverged_at[places])


def _about(item: MetricEntry) -> dict[str, str]:
    return {"units": item.unit, "description": item.description, "metric": item.metric, "exposure": item.exposure}


def write_parameters(path: Path, info: SeriesInfo, diverged_at: Int32s | None = None) -> None:
    """One row per instance with the value of every parameter, and how it ended when that is known."""
    names = [variable_name(quantity.name) for quantity, _ in info.parameters]
    ends = [] if diverged_at is None else ["status", "diverged_at"]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["instance", *names, *ends])
        for start in range(0, info.n_instances, ROWS_AT_ONCE):
            piece = slice(start, start + ROWS_AT_ONCE)
            columns = [values[piece].tolist() for _, values in info.parameters]
            if diverged_at is not None:
                columns += [status_texts(diverged_at[piece]).tolist(), diverged_at[piece].tolist()]
            writer.writerows([index, *row] for index, row in enumerate(zip(*columns, strict=True), start))


def read_run_file(folder: Path) -> dict[str, Any]:
    """Read run.json; raises ResultError if it is not there or is not what a run writes."""
    record = read_record(folder)
    if record is None:
        raise ResultError(f"there are no results in {folder}", "give the folder that a run was told with -o")
    return record
