"""Reads a run's database: SQLite, opened for reading only, every name quoted.

Knows the tables that a run writes. The file may come from somebody else: sizes of arrays are checked before use.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.report.reduce import line_names, reduce_series
from ratemlx.report.references import read_references
from ratemlx.report.run import METRICS_REMEDY, NO_TRACES, TRACES, Matrix, Part, Quantity, Run, Sweep, Trace, TraceSet
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.store.catalogue import quoted
from ratemlx.store.matrices import BOLD_SUFFIX, unpacked
from ratemlx.store.reading import reading

ROWS_AT_A_TIME = 20_000


def open_database_run(path: Path) -> Run:
    """A run from its database; raises ResultError where it cannot be read."""
    with reading(path.parent) as database:
        provenance = {name: _value(text) for name, text in database.execute("SELECT name, value FROM provenance")}
        parameters = database.execute(
            "SELECT name, unit, description, default_value, swept, column_name FROM parameters ORDER BY position"
        ).fetchall()
        metrics = database.execute(
            "SELECT column_name, unit, description, exposure, metric FROM metrics WHERE NOT regional"
        ).fetchall()
        order = {row[1]: row[0] for row in database.execute("PRAGMA table_info(instances)")}
        rows = _table(database, ("instance", "seed", "diverged_at"), whole_numbers=True)
        series = _numbers(database, "SELECT DISTINCT instance FROM arrays WHERE name = 'series' ORDER BY instance")
        names = {str(row[0]): str(row[5]) for row in parameters}
        sweeps = tuple(_sweeps(database))
        run = Run(
            folder=path.parent,
            model=str(provenance.get("model", "unknown model")),
            provenance=provenance,
            sweeps=sweeps,
            parameters=tuple(
                Quantity(str(row[0]), row[1] or "", row[2] or "", "", None if row[3] is None else float(row[3]))
                for row in parameters
            ),
            swept=_in_order_of_sweeps(sweeps, [str(row[0]) for row in parameters if row[4]]),
            metrics=tuple(
                Quantity(str(row[0]), row[1] or "", row[2] or "", row[3] or "", None, row[4] or "")
                for row in sorted((row for row in metrics if row[0] in order), key=lambda row: order[row[0]])
            ),
            regions=run_regions(path),
            instances=rows[:, 0],
            seeds=rows[:, 1],
            diverged_at=rows[:, 2],
            read=partial(_read, path, names),
            traces=partial(_traces, path, provenance),
            traced=series,
            matrices=partial(_matrices, path),
        )
    references = read_references(path.parent, len(run.regions))
    return replace(run, references=references, missing=tuple(_missing(run)))


def _missing(run: Run) -> Iterator[Part]:
    planned = sum(sweep.n_instances for sweep in run.sweeps)
    if not len(run.instances):
        raise ResultError(f"no batch of the run in {run.folder} is finished", "look again when it has gone on a while")
    if len(run.instances) < planned:
        text = f"{planned - len(run.instances):,} of {planned:,} instances"
        yield Part(text, "let the run go on: give its command again, if it has ended")
    if not run.metrics:
        yield Part("metrics, best fits and connectivity matrices", METRICS_REMEDY)
    if not len(run.traced):
        yield Part(TRACES, "run the sweep again with --keep all, or --keep best:10 for the fittest")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _sweeps(database: sqlite3.Connection) -> Iterator[Sweep]:
    query = "SELECT first_instance, n_instances, kind, axes, command, date FROM sweeps ORDER BY sweep"
    for first, count, kind, axes, command, date in database.execute(query):
        values = _value(axes or "{}")
        words = _value(command) if command else ""
        axes = values if isinstance(values, Mapping) else {}
        yield Sweep(
            first_instance=int(first),
            n_instances=int(count),
            kind=str(kind),
            axes={str(name): list(items) for name, items in axes.items() if isinstance(items, list)},
            command=" ".join(map(str, words)) if isinstance(words, list) else str(words),
            date=str(date),
            names=tuple(map(str, values)) if isinstance(values, Mapping | list) else (),
        )


def _in_order_of_sweeps(sweeps: Sequence[Sweep], swept: Sequence[str]) -> tuple[str, ...]:
    """What varies, in the order in which it was asked for."""
    named = [name for sweep in sweeps for name in sweep.names if name in swept]
    return tuple(dict.fromkeys((*named, *swept)))


def _read(path: Path, column_names: Mapping[str, str], names: Sequence[str]) -> Floats:
    with reading(path.parent) as database:
        return _table(database, tuple(column_names.get(name, name) for name in names))


def _table(database: sqlite3.Connection, columns: Sequence[str], *, whole_numbers: bool = False) -> AnyArray:
    """Columns of all instances as one array, filled some rows at a time; NULL is NaN, or -1 in whole numbers."""
    (count,) = database.execute("SELECT COUNT(*) FROM instances").fetchone()
    table: AnyArray = np.empty((count, len(columns)), dtype=np.int64 if whole_numbers else np.float64)
    chosen = ", ".join(f"COALESCE({quoted(name)}, -1)" if whole_numbers else quoted(name) for name in columns)
    cursor = database.execute(f"SELECT {chosen} FROM instances ORDER BY instance")
    first = 0
    while rows := cursor.fetchmany(ROWS_AT_A_TIME):
        try:
            table[first : first + len(rows)] = np.array(rows, dtype=table.dtype)
        except (ValueError, TypeError, OverflowError) as error:
            raise ResultError(f"the database holds something that is no number in {', '.join(columns)}") from error
        first += len(rows)
    return table


def _numbers(database: sqlite3.Connection, query: str) -> Int64s:
    return np.array([row[0] for row in database.execute(query)], dtype=np.int64)


def _matrices(path: Path, instances: Sequence[int]) -> tuple[Matrix, ...]:
    with reading(path.parent) as database:
        return tuple(_arrays(database, instances, "name <> 'series'"))


def _arrays(database: sqlite3.Connection, instances: Sequence[int], condition: str) -> Iterator[Matrix]:
    for instance in instances:
        query = f"SELECT name, exposure, shape, dtype, data FROM arrays WHERE instance = ? AND {condition}"
        for name, exposure, shape, dtype, data in database.execute(query, (int(instance),)):
            yield Matrix(instance, str(name), str(exposure), unpacked(str(shape), str(dtype), data))


def _traces(path: Path, provenance: Mapping[str, Any], instances: Sequence[int]) -> TraceSet:
    """Series of the best instances, which the database keeps for a few."""
    found: dict[int, dict[str, AnyArray]] = {}
    with reading(path.parent) as database:
        for instance in instances:
            for item in _arrays(database, (instance,), "name = 'series'"):
                found.setdefault(instance, {})[item.exposure] = item.values
    # BOLD signals have another clock.
    found = {instance: _of_samples(series) for instance, series in found.items()}
    if not found:
        return NO_TRACES
    exposures = tuple(dict.fromkeys(name for series in found.values() for name in series))
    first = next(iter(next(iter(found.values())).values()))
    traces = tuple(
        Trace(instance, reduce_series(np.stack([series[name] for name in exposures])))
        for instance, series in found.items()
        if len({item.shape for item in (first, *series.values())}) == 1 and set(series) == set(exposures)
    )
    period = _number(provenance.get("period"), 1.0)
    stop = _number(provenance.get("duration"), len(first) * period)
    quantities = tuple(Quantity(name, _unit(provenance, name), "") for name in exposures)
    return TraceSet(stop - len(first) * period, stop, quantities, line_names(run_regions(path)), traces)


def _of_samples(series: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Series of samples, or BOLD signals where there are no others."""
    return {name: item for name, item in series.items() if not name.endswith(BOLD_SUFFIX)} or dict(series)


def run_regions(path: Path) -> tuple[str, ...]:
    """Labels of the regions, in order."""
    with reading(path.parent) as database:
        return tuple(str(row[0]) for row in database.execute("SELECT label FROM regions ORDER BY region"))


def _unit(provenance: Mapping[str, Any], exposure: str) -> str:
    units = provenance.get("exposures")
    return str(units.get(exposure, "")) if isinstance(units, Mapping) else ""


def _number(value: Any, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
