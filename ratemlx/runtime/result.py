"""Results as a user gets them: labelled arrays, parameters and status of every instance, saved and opened again.

The one module that needs xarray; import it late, for xarray takes half a second.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Int32s
from ratemlx.runtime.cache import replacing
from ratemlx.runtime.series import (
    DIMENSIONS,
    Block,
    Quantity,
    SeriesInfo,
    status_texts,
    units_text,
    variable_name,
    write_netcdf,
)

SERIES_FILE = "time_series.nc"
PARAMETERS_FILE = "parameters.csv"
RUN_FILE = "run.json"
FIGURE_FILE = "traces.png"


def result_files(folder: Path, *, figure: bool) -> tuple[Path, ...]:
    """What a run writes into a folder, with or without its figure."""
    names = (PARAMETERS_FILE, RUN_FILE, SERIES_FILE, *([FIGURE_FILE] if figure else []))
    return tuple(folder / name for name in names)


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a run gave.

    `time_series` has dimensions (instance, exposure, time, region), with swept parameters as coordinates over
    instances and units in attributes; `parameters` holds every parameter's value per instance; `status` says per
    instance "ok" or "diverged", with the step as coordinate `diverged_at` (-1 if it did not). `provenance` is what
    run.json holds.
    """

    time_series: xr.DataArray
    parameters: xr.Dataset
    status: xr.DataArray
    info: SeriesInfo
    provenance: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

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
        return np.flatnonzero(self.status.values == "diverged")

    def save(self, folder: str | Path) -> None:
        """Write time_series.nc, parameters.csv and run.json into a folder; raises ResultError."""
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
            diverged_at = write_netcdf(path / SERIES_FILE, self.info, self.time_series.dtype, self._blocks())
            write_parameters(path / PARAMETERS_FILE, self.info, diverged_at)
            write_json(path / RUN_FILE, {**self.provenance, "complete": True})
        except OSError as error:
            raise ResultError(f"results cannot be written to {path}: {error.strerror}") from error

    def _blocks(self) -> Iterator[Block]:
        steps = self.status.coords["diverged_at"].values
        for index in range(self.info.n_instances):
            yield np.array([index]), self.time_series[index : index + 1].values, steps[index : index + 1]


def make_result(
    info: SeriesInfo,
    series: object,
    diverged_at: Int32s,
    provenance: Mapping[str, Any],
    warnings: tuple[str, ...] = (),
) -> Result:
    """Labels put on arrays; `series` is an array or a lazily read xarray variable of shape `info.sizes`."""
    instance = np.arange(info.n_instances)
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
    time_series = xr.DataArray(
        series,
        dims=DIMENSIONS,
        coords={**axes, **swept},
        name=info.model,
        attrs={"units": units_text(info)},
    )
    status = xr.DataArray(
        status_texts(diverged_at),
        dims=("instance",),
        coords={"instance": instance, "diverged_at": ("instance", diverged_at)},
        name="status",
    )
    columns = {variable_name(name): column for name, column in parameters.items()}
    parameter_values = xr.Dataset(columns, coords={"instance": instance})
    record = {**provenance, "diverged": int((diverged_at >= 0).sum())}
    return Result(time_series, parameter_values, status, info, record, warnings)


def open_result(folder: str | Path) -> Result:
    """Results that were written to a folder, series read when they are needed; raises ResultError."""
    path = Path(folder).expanduser()
    provenance = read_json(path / RUN_FILE)
    if not is_complete(path):
        raise ResultError(f"the run in {path} is not finished", "run the same command again to go on with it")
    try:
        data = xr.open_dataset(path / SERIES_FILE, engine="h5netcdf", decode_times=False)
        return make_result(_info(data), data["time_series"].variable, data["diverged_at"].values, provenance)
    except (OSError, KeyError, ValueError) as error:
        raise ResultError(f"{path / SERIES_FILE} cannot be read: {error}") from error


def is_complete(folder: Path) -> bool:
    """Whether a folder's run is finished: run.json says so last of all, when the series are whole."""
    has_files = (folder / RUN_FILE).exists() and (folder / SERIES_FILE).exists()
    return has_files and read_json(folder / RUN_FILE).get("complete") is True


def _info(data: xr.Dataset) -> SeriesInfo:
    columns = [(name, data[variable_name(name)]) for name in str(data.attrs["parameters"]).split()]
    units = data["exposure_unit"].values
    return SeriesInfo(
        model=str(data.attrs["model"]),
        exposures=tuple(
            Quantity(str(name), str(unit), "") for name, unit in zip(data["exposure"].values, units, strict=True)
        ),
        times=data["time"].values,
        regions=tuple(str(label) for label in data["region"].values),
        parameters=tuple(
            (Quantity(name, item.attrs["units"], item.attrs["description"]), item.values) for name, item in columns
        ),
        swept=tuple(str(data.attrs["swept"]).split()),
        shape=tuple(int(size) for size in np.atleast_1d(data.attrs["sweep_shape"])),
    )


def write_parameters(path: Path, info: SeriesInfo, diverged_at: Int32s | None = None) -> None:
    """One row per instance with the value of every parameter, and how it ended when that is known."""
    columns = [(variable_name(quantity.name), values.tolist()) for quantity, values in info.parameters]
    if diverged_at is not None:
        columns += [("status", status_texts(diverged_at).tolist()), ("diverged_at", diverged_at.tolist())]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["instance", *(name for name, _ in columns)])
        rows = zip(*(values for _, values in columns), strict=True)
        writer.writerows([index, *row] for index, row in enumerate(rows))


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read run.json; raises ResultError if it is not there or is not what a run writes."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultError(f"there are no results in {path.parent}") from error
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ResultError(f"{path} is not what a run writes")
    return data
