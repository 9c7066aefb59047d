"""Time series with all that is needed to read them: names, units, parameter values; in memory and as netCDF.

Knows arrays and names, nothing of kernels or how a run is organised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.runtime.arrays import AnyArray, Floats, Int32s, Int64s
from ratemlx.runtime.cache import replacing
from ratemlx.runtime.parameters import sweepable
from ratemlx.runtime.spec import Job

DIMENSIONS = ("instance", "exposure", "time", "region")
VARIABLES = ("time_series", "status", "diverged_at", "exposure_unit")
CHUNK_ITEMS = 1 << 20
Block = tuple[Int64s, AnyArray, Int32s]
"""Numbers of instances, their series (instance, exposure, time, region), and their steps of divergence."""


SETTLED = "the second half of the run"
"""What stands in for metrics in a run without: a transient is seldom longer than the first half."""


def settled(n_samples: int) -> slice:
    """The samples of SETTLED, over which means are taken where nothing else is asked for."""
    return slice(n_samples // 2, None)


@dataclass(frozen=True)
class Quantity:
    """A name with its unit and what it means."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True, eq=False)
class SeriesInfo:
    """What the axes of a set of time series are; times in ms, one array over instances per parameter.

    `instances` are numbers in ascending order: 0, 1, 2, ... of a run with one sweep.
    """

    model: str
    instances: Int64s
    exposures: tuple[Quantity, ...]
    times: Floats
    regions: tuple[str, ...]
    parameters: tuple[tuple[Quantity, Floats], ...]
    swept: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def n_instances(self) -> int:
        """Number of instances."""
        return len(self.instances)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Shape of the whole array."""
        return self.n_instances, len(self.exposures), len(self.times), len(self.regions)


def series_info(job: Job) -> SeriesInfo:
    """The axes of a job's results; a sample stands at the middle of the period that it averages."""
    known = {info.name: info for info in job.manifest.exposures}
    exposures = (known[name] for name in job.observed)
    return SeriesInfo(
        model=job.manifest.model,
        instances=np.arange(job.sweep.n_instances),
        exposures=tuple(Quantity(info.name, info.unit, info.description) for info in exposures),
        times=(np.arange(job.timing.n_samples, dtype=np.float64) + 0.5) * job.timing.period,
        regions=job.connectome.region_labels,
        parameters=tuple(
            (Quantity(name, info.unit, info.description), job.parameters.columns[name])
            for name, info in sweepable(job.manifest).items()
        ),
        swept=job.sweep.names,
        shape=job.sweep.shape,
    )


def variable_name(parameter: str) -> str:
    """A parameter's name beside the dimensions and variables of a file of series."""
    return f"parameter_{parameter}" if parameter in (*DIMENSIONS, *VARIABLES) else parameter


def units_text(info: SeriesInfo) -> str:
    """Units of all exposures, as the attribute of the series has them: "E: kHz, I: kHz"."""
    return ", ".join(f"{item.name}: {item.unit or '1'}" for item in info.exposures)


def status_texts(diverged_at: Int32s) -> AnyArray:
    """Of every instance "diverged" or "ok", from the steps of divergence."""
    return np.where(diverged_at >= 0, "diverged", "ok")


def write_netcdf(path: Path, info: SeriesInfo, dtype: np.dtype[Any], blocks: Iterable[Block]) -> Int32s:
    """Write series as netCDF-4, block by block, so that memory holds one block at a time; gives steps of divergence."""
    import h5netcdf

    with replacing(path) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs["model"] = info.model
        file.attrs["parameters"] = " ".join(quantity.name for quantity, _ in info.parameters)
        file.attrs["swept"] = " ".join(info.swept)
        file.attrs["sweep_shape"] = np.array(info.shape, dtype=np.int64)
        file.dimensions = dict(zip(DIMENSIONS, info.sizes, strict=True))
        _write_axes(file, info)
        times = max(1, min(info.sizes[2], CHUNK_ITEMS // info.sizes[3]))
        series = file.create_variable("time_series", DIMENSIONS, dtype, chunks=(1, 1, times, info.sizes[3]))
        series.attrs["units"] = units_text(info)
        # What readers of the CF conventions, such as xarray, take for labels beside those of the dimensions.
        series.attrs["coordinates"] = " ".join(("exposure_unit", *map(variable_name, info.swept)))
        diverged_at = np.full(info.n_instances, -1, dtype=np.int32)
        for instances, values, steps in blocks:
            rows = np.searchsorted(info.instances, instances)
            for first, last in _runs(rows):
                where = slice(int(rows[first]), int(rows[first]) + last - first)
                series[where] = values[first:last]
                diverged_at[where] = steps[first:last]
        _write_status(file, diverged_at)
    return diverged_at


def read_blocks(path: Path) -> Iterator[Block]:
    """What `write_netcdf` has written, one instance at a time."""
    import h5netcdf

    with h5netcdf.File(path, "r") as file:
        numbers, steps = file["instance"][...], file["diverged_at"][...]
        for row, (number, step) in enumerate(zip(numbers.tolist(), steps.tolist(), strict=True)):
            yield np.array([number]), file["time_series"][row : row + 1], np.array([step], dtype=np.int32)


def _write_status(file: Any, diverged_at: Int32s) -> None:
    import h5py

    status = file.create_variable("status", DIMENSIONS[:1], h5py.string_dtype())
    status[...] = status_texts(diverged_at).astype(object)
    variable = file.create_variable("diverged_at", DIMENSIONS[:1], np.dtype(np.int32))
    variable[...] = diverged_at
    variable.attrs["description"] = "first step after which a state was not finite, or -1"


def _write_axes(file: Any, info: SeriesInfo) -> None:
    import h5py

    text = h5py.string_dtype()
    names = [quantity.name for quantity in info.exposures]
    file.create_variable("instance", ("instance",), np.dtype(np.int64))[...] = info.instances
    file.create_variable("exposure", ("exposure",), text)[...] = np.array(names, dtype=object)
    file.create_variable("exposure_unit", ("exposure",), text)[...] = np.array(
        [quantity.unit for quantity in info.exposures], dtype=object
    )
    file.create_variable("region", ("region",), text)[...] = np.array(info.regions, dtype=object)
    file.create_variable("time", ("time",), np.dtype(np.float64))[...] = info.times
    file["time"].attrs["units"] = "ms"
    for quantity, values in info.parameters:
        variable = file.create_variable(variable_name(quantity.name), ("instance",), np.dtype(np.float64))
        variable[...] = values
        variable.attrs["units"] = quantity.unit
        variable.attrs["description"] = quantity.description


def _runs(instances: Int64s) -> Iterable[tuple[int, int]]:
    """Bounds of stretches of consecutive indices."""
    breaks = np.flatnonzero(np.diff(instances) != 1) + 1
    bounds = [0, *breaks.tolist(), len(instances)]
    return pairwise(bounds)
