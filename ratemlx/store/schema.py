"""The tables of a run's database, as SQL. Knows the catalogue of columns."""

from __future__ import annotations

from collections.abc import Sequence

from ratemlx.store.catalogue import Catalogue, quoted

VERSION = 1
APPLICATION = 0x724D4C58
"""Says that a SQLite file is a run's database: "rMLX"."""

UNIQUE_POINTS = "unique_points"
RANKING = "ranking"

FIXED_TABLES = (
    "CREATE TABLE provenance (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    "CREATE TABLE sweeps (sweep INTEGER PRIMARY KEY, first_instance INTEGER, n_instances INTEGER, kind TEXT, axes TEXT,"
    " command TEXT, date TEXT)",
    "CREATE TABLE parameters (name TEXT PRIMARY KEY, position INTEGER, column_name TEXT, unit TEXT, description TEXT,"
    " default_value REAL, swept INTEGER) WITHOUT ROWID",
    "CREATE TABLE metrics (column_name TEXT PRIMARY KEY, metric TEXT, exposure TEXT, unit TEXT, description TEXT,"
    " regional INTEGER) WITHOUT ROWID",
    "CREATE TABLE regions (region INTEGER PRIMARY KEY, label TEXT)",
    "CREATE TABLE shards (name TEXT PRIMARY KEY, n_instances INTEGER, rank INTEGER) WITHOUT ROWID",
    "CREATE TABLE arrays (instance INTEGER, name TEXT, exposure TEXT, shape TEXT, dtype TEXT, data BLOB,"
    " PRIMARY KEY (instance, name, exposure))",
)
"""`arrays` has row ids: rows as large as a matrix make a table without them slow."""


def tables(catalogue: Catalogue) -> tuple[str, ...]:
    """Statements that make all tables."""
    parameters = [f"{quoted(name)} REAL" for name in parameter_columns(catalogue)]
    metrics = [f"{quoted(name)} REAL" for name in metric_columns(catalogue, regional=False)]
    regional = [f"{quoted(name)} REAL" for name in metric_columns(catalogue, regional=True)]
    instances = ["instance INTEGER PRIMARY KEY", *parameters, "seed INTEGER", "status TEXT", "diverged_at INTEGER"]
    return (
        *FIXED_TABLES,
        f"CREATE TABLE instances ({', '.join([*instances, *metrics])})",
        f"CREATE TABLE regional ({', '.join(['instance INTEGER', 'region INTEGER', *regional])},"
        " PRIMARY KEY (instance, region)) WITHOUT ROWID",
    )


def parameter_columns(catalogue: Catalogue) -> list[str]:
    """Columns of parameters in the model's order."""
    return [catalogue.parameter_column(item.name) for item in catalogue.parameters]


def metric_columns(catalogue: Catalogue, *, regional: bool) -> list[str]:
    """Columns of metrics, of instances or of regions."""
    return [catalogue.metric_column(item.column) for item in catalogue.of_metrics(regional=regional)]


def late_indices(catalogue: Catalogue, varied: Sequence[str]) -> dict[str, str]:
    """Indices by name, to be made when all rows are in: kept up row by row they would cost more than the rows.

    One lets no point be there twice. It is over the parameters that vary and the seed: all others are equal throughout,
    and would double the file. Queries for some values of the first of them use it as well. The other is over what
    instances are ranked by.
    """
    columns = [*(quoted(catalogue.parameter_column(name)) for name in varied), "seed"]
    found = {UNIQUE_POINTS: f"CREATE UNIQUE INDEX {UNIQUE_POINTS} ON instances ({', '.join(columns)})"}
    if catalogue.ranking is not None:
        ranked = quoted(catalogue.metric_column(catalogue.ranking.column))
        found[RANKING] = f"CREATE INDEX {RANKING} ON instances ({ranked})"
    return found


DIVERGED_INDEX = "CREATE INDEX diverged ON instances (diverged_at) WHERE diverged_at IS NOT NULL"
