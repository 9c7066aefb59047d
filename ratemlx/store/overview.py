"""What is in a run's database: tables with numbers of rows, columns with units. Knows the schema."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ratemlx.store.catalogue import quoted
from ratemlx.store.reading import reading

MEANINGS = {
    "instances": "one row per instance: parameters, seed, status, metrics",
    "regional": "one row per instance and region: metrics of regions",
    "arrays": "FC matrices and time series of the best instances",
    "parameters": "the model's parameters, and which vary",
    "metrics": "what the columns of metrics are",
    "regions": "labels of regions",
    "sweeps": "sweeps of this run, with the numbers of their instances",
    "provenance": "what ran, with which settings, as JSON",
    "shards": "files that the rows came from",
}


@dataclass(frozen=True)
class TableInfo:
    """A table, its number of rows, and what it is."""

    name: str
    rows: int
    meaning: str


@dataclass(frozen=True)
class ColumnInfo:
    """A column of `instances` or `regional`."""

    table: str
    name: str
    unit: str
    description: str


@dataclass(frozen=True)
class Overview:
    """Tables and columns of a run's database, and the name of its model."""

    model: str
    tables: tuple[TableInfo, ...]
    columns: tuple[ColumnInfo, ...]


def overview(folder: str | Path) -> Overview:
    """What a run's database holds; raises ResultError where there is none."""
    with reading(folder) as connection:
        return Overview(_model(connection), _tables(connection), _columns(connection))


def _model(connection: sqlite3.Connection) -> str:
    found = connection.execute("SELECT value FROM provenance WHERE name = 'model'").fetchone()
    return "" if found is None else str(json.loads(found[0]))


def _tables(connection: sqlite3.Connection) -> tuple[TableInfo, ...]:
    return tuple(TableInfo(name, _count(connection, name), meaning) for name, meaning in MEANINGS.items())


def _count(connection: sqlite3.Connection, table: str) -> int:
    if table != "regional":
        return int(connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0])
    # To count its rows takes a walk through all of it; there is one per instance and region, or none at all.
    if connection.execute("SELECT 1 FROM regional LIMIT 1").fetchone() is None:
        return 0
    return _count(connection, "instances") * _count(connection, "regions")


def _columns(connection: sqlite3.Connection) -> tuple[ColumnInfo, ...]:
    parameters = connection.execute("SELECT column_name, unit, description FROM parameters ORDER BY position")
    described = {name: ColumnInfo("instances", name, unit, text) for name, unit, text in parameters}
    described |= {
        "instance": ColumnInfo("instances", "instance", "", "number of the instance in this run"),
        "seed": ColumnInfo("instances", "seed", "", "seed of noise and of drawn initial states"),
        "status": ColumnInfo("instances", "status", "", "ok or diverged"),
        "diverged_at": ColumnInfo("instances", "diverged_at", "", "step at which it left the finite numbers"),
    }
    for name, unit, text, regional in connection.execute(
        "SELECT column_name, unit, description, regional FROM metrics"
    ).fetchall():
        described[name] = ColumnInfo("regional" if regional else "instances", name, unit, text)
    order = [
        (table, row[1])
        for table in ("instances", "regional")
        for row in connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
    ]
    return tuple(described[name] for table, name in order if name in described and described[name].table == table)
