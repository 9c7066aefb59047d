"""BOLD signals of a run with their labels: from batches in memory, or from a run's database. Knows arrays and names."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.runtime.outputs import Outputs

SUFFIX = "_BOLD"
SERIES = "series"


@dataclass(frozen=True, eq=False)
class BoldSignals:
    """Signals of shape (instance, exposure, volume, region), in percent; `times` (ms) are the ends of volumes."""

    names: tuple[str, ...]
    times: Floats
    values: AnyArray


def stacked(names: Sequence[str], outputs: Outputs, parts: Sequence[tuple[Int64s, AnyArray]]) -> BoldSignals | None:
    """Signals of batches put together, given with the places of their instances; None where there are none."""
    if outputs.bold is None or not parts:
        return None
    count = sum(len(places) for places, _ in parts)
    values = np.empty((count, *parts[0][1].shape[1:]), dtype=parts[0][1].dtype)
    for places, part in parts:
        values[places] = part
    return BoldSignals(tuple(names), volume_times(outputs.transient, outputs.bold.TR, values.shape[2]), values)


def stored(connection: sqlite3.Connection, numbers: Int64s, transient: float, repetition: float) -> BoldSignals | None:
    """Signals of some instances from a database, or None if it does not have them of all."""
    rows = connection.execute(
        "SELECT instance, exposure, shape, dtype, data FROM arrays WHERE name = ? AND exposure LIKE ?",
        (SERIES, f"%{SUFFIX}"),
    ).fetchall()
    names = tuple(dict.fromkeys(name for _, name, *_ in rows))
    found = {
        (number, name): np.frombuffer(data, dtype=dtype).reshape([int(size) for size in shape.split("x")])
        for number, name, shape, dtype, data in rows
    }
    if not names or any((number, name) not in found for number in numbers.tolist() for name in names):
        return None
    values = np.stack([np.stack([found[number, name] for name in names]) for number in numbers.tolist()])
    return BoldSignals(names, volume_times(transient, repetition, values.shape[2]), values)


def volume_times(transient: float, repetition: float, count: int) -> Floats:
    """Ends of volumes, ms from the start of the run."""
    return np.asarray(transient + repetition * np.arange(1, count + 1), dtype=np.float64)
