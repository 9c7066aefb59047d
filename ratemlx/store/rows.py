"""A shard as rows of the database's tables: NumPy arrays become tuples that SQLite takes. Knows columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Floats
from ratemlx.store import schema
from ratemlx.store.catalogue import Catalogue, quoted
from ratemlx.store.points import Registry
from ratemlx.store.shard import Shard
from ratemlx.store.shard_format import little_endian


class Rows:
    """Statements and rows for the shards of one run."""

    def __init__(self, catalogue: Catalogue, registry: Registry) -> None:
        self._catalogue, self._registry = catalogue, registry
        self._metrics = [item.column for item in catalogue.of_metrics(regional=False)]
        self._regional = [item.column for item in catalogue.of_metrics(regional=True)]
        values = schema.parameter_columns(catalogue) + schema.metric_columns(catalogue, regional=False)
        self.insert_instance = _insert("instances", ["instance", "seed", "status", "diverged_at", *values])
        regional = schema.metric_columns(catalogue, regional=True)
        self.insert_region = _insert("regional", ["instance", "region", *regional])
        self.insert_array = _insert("arrays", ["instance", "name", "exposure", "shape", "dtype", "data"])

    def instances(self, shard: Shard) -> Iterator[tuple[Any, ...]]:
        """One row per instance; raises ResultError if the shard has other columns than the run."""
        parameters = self._registry.columns(shard.instances)
        matrix = np.empty((len(shard.instances), len(self._catalogue.parameters)))
        for position, item in enumerate(self._catalogue.parameters):
            matrix[:, position] = parameters[item.name]
        metrics = _ordered(shard.columns, shard.column_names, self._metrics)
        values = _finite(matrix if metrics is None else np.hstack([matrix, metrics])).tolist()
        steps = [step if step >= 0 else None for step in shard.diverged_at.tolist()]
        seed = self._catalogue.seed
        for instance, step, row in zip(shard.instances.tolist(), steps, values, strict=True):
            yield (instance, seed, "ok" if step is None else "diverged", step, *row)

    def regions(self, shard: Shard) -> Iterator[tuple[Any, ...]]:
        """One row per instance and region, if the run has metrics of regions."""
        values = _ordered(shard.regional, shard.regional_names, self._regional)
        if values is None:
            return
        if values.ndim != 3 or values.shape[1] != len(self._catalogue.regions):
            raise ResultError(f"a shard has {values.shape[1]} regions, the run has {len(self._catalogue.regions)}")
        for instance, rows in zip(shard.instances.tolist(), _finite(values).tolist(), strict=True):
            for region, row in enumerate(rows):
                yield (instance, region, *row)

    def arrays(self, shard: Shard) -> Iterator[tuple[Any, ...]]:
        """One row per array."""
        for item in shard.arrays:
            values = little_endian(item.values)
            yield item.instance, item.name, item.exposure, item.shape, values.dtype.name, values.tobytes()


def _insert(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(quoted(name) for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"


def _ordered(values: AnyArray | None, names: Sequence[str], wanted: Sequence[str]) -> AnyArray | None:
    """Columns in the order of the run, None if it has none."""
    if sorted(names) != sorted(wanted):
        odd = ", ".join(sorted(set(names) ^ set(wanted))[:6]) or "some are there twice"
        raise ResultError(f"a shard has other columns than the run: {odd}", "add --restart to begin anew")
    if values is None or not wanted:
        return None
    if list(names) == list(wanted):
        return values
    return values[..., [list(names).index(name) for name in wanted]]


def _finite(values: Floats) -> Floats:
    """What is not finite as NaN, which SQLite keeps as NULL."""
    found = np.array(values, dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found
