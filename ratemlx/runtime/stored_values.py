"""Values in a run's database as arrays, a piece at a time: ten million rows are more than lists of Python hold.

Knows the store's tables; nothing of labels, or of how a run is made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemlx.fitness import Best
from ratemlx.runtime.arrays import Floats, Int32s, Int64s
from ratemlx.runtime.places import Places
from ratemlx.store import Catalogue, MetricEntry
from ratemlx.store.catalogue import quoted
from ratemlx.store.reading import reading

PIECE = 1 << 17
"""Values fetched at a time, each an object of Python for a moment."""
MOST_NUMBERS = 1 << 14
"""Instances of a piece, whose numbers may have to be listed in a query, which can be a million letters long."""
RANKED_AT_ONCE = 256
"""Instances fetched at a time in the order of their fitness: seldom are more than the first few asked for."""


@dataclass(frozen=True)
class StoredValues:
    """Some metrics, all of instances or all of regions, in the database of a folder."""

    folder: Path
    columns: tuple[str, ...]
    n_regions: int | None = None

    @classmethod
    def of(cls, folder: Path, catalogue: Catalogue, entries: Sequence[MetricEntry]) -> StoredValues:
        """Of entries that are all alike, regional or not."""
        regions = len(catalogue.regions) if entries[0].regional else None
        return cls(folder, tuple(catalogue.metric_column(item.column) for item in entries), regions)

    def read(self, instances: Int64s) -> list[Floats]:
        """Values (instance,) or (instance, region) of each metric, NaN where there is none; raises ResultError."""
        shape = (len(instances), *(() if self.n_regions is None else (self.n_regions,)))
        found = [np.full(shape, np.nan) for _ in self.columns]
        length = max(1, min(MOST_NUMBERS, PIECE // (len(self.columns) * (self.n_regions or 1))))
        with reading(self.folder) as connection:
            for start in range(0, len(instances), length):
                self._fill(connection, instances[start : start + length], [item[start:] for item in found])
        return found

    def _fill(self, connection: sqlite3.Connection, instances: Int64s, found: Sequence[Floats]) -> None:
        """Put the values of a few instances, of which some may be there twice, at the beginnings of arrays."""
        numbers, places = np.unique(instances, return_inverse=True)
        keys = ["instance"] if self.n_regions is None else ["instance", "region"]
        listed = ", ".join([*keys, *map(quoted, self.columns)])
        table = "instances" if self.n_regions is None else "regional"
        rows = connection.execute(f"SELECT {listed} FROM {table} WHERE instance {_among(numbers)}").fetchall()
        if not rows:
            return
        matrix = np.array(rows, dtype=np.float64)
        where = [np.searchsorted(numbers, matrix[:, 0].astype(np.int64))]
        where += [matrix[:, position].astype(np.int64) for position in range(1, len(keys))]
        for position, values in enumerate(found):
            piece = np.full((len(numbers), *values.shape[1:]), np.nan)
            piece[tuple(where)] = matrix[:, len(keys) + position]
            values[: len(instances)] = piece[places]


def _among(numbers: Int64s) -> str:
    """The condition that a number is one of these, which ascend."""
    first, last = int(numbers[0]), int(numbers[-1])
    if last - first + 1 == len(numbers):
        return f"BETWEEN {first} AND {last}"
    return f"IN ({', '.join(map(str, numbers.tolist()))})"


def read_numbers(folder: Path) -> Int64s:
    """Numbers of all instances in the database, ascending; raises ResultError."""
    with reading(folder) as connection:
        ((count, first, last),) = connection.execute("SELECT count(*), min(instance), max(instance) FROM instances")
        if count and last - first + 1 == count:
            return np.arange(first, last + 1)
        # Without an order SQLite reads the smallest index instead of the rows, which are large.
        rows = connection.execute("SELECT instance FROM instances")
        return np.sort(np.fromiter((number for (number,) in rows), dtype=np.int64))


def read_steps(folder: Path, instances: Int64s) -> Int32s:
    """Step at which each of some instances diverged, or -1; raises ResultError."""
    query = "SELECT instance, diverged_at FROM instances WHERE diverged_at IS NOT NULL"
    with reading(folder) as connection:
        kind = [("instance", np.int64), ("step", np.int32)]
        diverged = np.fromiter(connection.execute(query), dtype=kind)
    places = Places(diverged["instance"])
    steps = np.full(len(instances), -1, dtype=np.int32)
    for start in range(0, len(instances), PIECE):
        found = places.of(instances[start : start + PIECE])
        steps[start + np.flatnonzero(found >= 0)] = diverged["step"][found[found >= 0]]
    return steps


def read_best(folder: Path, column: str, instances: Int64s, count: int) -> Best:
    """Those of some instances with the largest values in a column, each once, as `rank` gives them; raises ResultError.

    Of a run that is complete the index over its fitness is read from its end until there are enough.
    """
    places = Places(instances)
    found: list[tuple[int, float]] = []
    with reading(folder) as connection:
        for rows in _in_order(connection, quoted(column)):
            there = places.have(np.array([number for number, _ in rows], dtype=np.int64))
            found += [row for row, chosen in zip(rows, there, strict=True) if chosen]
            if len(found) >= count:
                break
    numbers, values = zip(*found[:count], strict=True) if found[:count] else ((), ())
    return Best(np.array(numbers, dtype=np.int64), np.array(values, dtype=np.float64))


def _in_order(connection: sqlite3.Connection, column: str) -> Iterator[list[tuple[int, float]]]:
    rows = connection.execute(
        f"SELECT instance, {column} FROM instances WHERE {column} IS NOT NULL ORDER BY {column} DESC, instance"
    )
    while some := rows.fetchmany(RANKED_AT_ONCE):
        yield some
