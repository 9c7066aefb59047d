"""Results in memory written to a folder as a run would have written them. Knows results and the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Floats
from ratemlx.runtime.result import PARAMETERS_FILE, RUN_FILE, SERIES_FILE, Result, write_parameters
from ratemlx.runtime.series import Block, write_netcdf
from ratemlx.store import Catalogue, MetricEntry, ParameterEntry, Points, RunStore, Shard, StoredArray
from ratemlx.store.matrices import FC_NAME, SERIES_NAME, full, symmetric

STAMP = "saved from memory"


def save(result: Result, folder: Path) -> None:
    """Write all of a result; raises ResultError, also for a folder that holds a run."""
    if (folder / RUN_FILE).exists():
        raise ResultError(f"{folder} holds a run already", "choose another folder")
    info = result.info
    steps = result.status.coords["diverged_at"].values
    store = RunStore.open(folder, STAMP, _catalogue(result), _points(result), result.provenance)
    store.keep(_shard(result))
    try:
        if result.series is not None:
            write_netcdf(folder / SERIES_FILE, info, result.series.dtype, _blocks(result))
        write_parameters(folder / PARAMETERS_FILE, info, steps)
    except OSError as error:
        raise ResultError(f"results cannot be written to {folder}: {error.strerror}") from error
    store.finish()


def _blocks(result: Result) -> Iterator[Block]:
    steps = result.status.coords["diverged_at"].values
    for index, number in enumerate(result.info.instances.tolist()):
        yield np.array([number]), result.time_series[index : index + 1].values, steps[index : index + 1]


def _catalogue(result: Result) -> Catalogue:
    return Catalogue(
        parameters=tuple(ParameterEntry(item.name, item.unit, item.description) for item, _ in result.info.parameters),
        metrics=tuple(
            MetricEntry(
                str(name),
                str(item.attrs.get("metric", "")),
                str(item.attrs.get("exposure", "")),
                str(item.attrs.get("units", "")),
                str(item.attrs.get("description", "")),
                item.ndim == 2,
            )
            for name, item in result.metrics.data_vars.items()
        ),
        regions=result.info.regions,
        seed=int(result.provenance.get("seed", 0)),
    )


def _points(result: Result) -> Points:
    """The sweep as it was, where a grid can be told from its points; else a table."""
    info = result.info
    values = {quantity.name: column for quantity, column in info.parameters}
    fixed = {name: float(column[0]) for name, column in values.items() if name not in info.swept}
    axes = _axes([values[name] for name in info.swept], info.shape)
    kind = "table" if axes is None else "grid"
    columns = [values[name] for name in info.swept] if axes is None else axes
    return Points(kind, dict(zip(info.swept, columns, strict=True)), fixed)  # type: ignore[arg-type]


def _axes(columns: list[Floats], shape: tuple[int, ...]) -> list[Floats] | None:
    """Values along each axis of a grid of this shape, or None if the columns are not its product."""
    if len(columns) != len(shape):
        return None
    axes = [
        np.moveaxis(column.reshape(shape), position, 0).reshape(shape[position], -1)[:, 0]
        for position, column in enumerate(columns)
    ]
    product = list(np.meshgrid(*axes, indexing="ij")) if axes else []
    return axes if all(np.array_equal(a.ravel(), b) for a, b in zip(product, columns, strict=True)) else None


def _arrays(result: Result, name: str) -> Iterator[StoredArray]:
    """What is kept of single instances, which are numbered by their places here."""
    places = {number: place for place, number in enumerate(result.info.instances.tolist())}
    for item in result.read_arrays(name):
        if item.instance in places:
            make = symmetric if name == FC_NAME else full
            yield make(places[item.instance], name, item.exposure, item.values)


def _shard(result: Result) -> Shard:
    plain = [str(name) for name, item in result.metrics.data_vars.items() if item.ndim == 1]
    regional = [str(name) for name, item in result.metrics.data_vars.items() if item.ndim == 2]
    count = len(result.info.instances)
    return Shard(
        instances=np.arange(count),
        diverged_at=result.status.coords["diverged_at"].values,
        column_names=tuple(plain),
        columns=np.stack([result.metrics[name].values for name in plain], axis=-1) if plain else None,
        regional_names=tuple(regional),
        regional=np.stack([result.metrics[name].values for name in regional], axis=-1) if regional else None,
        arrays=tuple(item for name in (FC_NAME, SERIES_NAME) for item in _arrays(result, name)),
    )
