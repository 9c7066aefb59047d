"""A run's results in files that other programs read: CSV, Parquet, NetCDF. Each appears whole or not at all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import did_you_mean
from ratemlx.runtime.cache import check_place, replacing
from ratemlx.store.catalogue import quoted
from ratemlx.store.files import told
from ratemlx.store.overview import overview
from ratemlx.store.query import Answer, asking
from ratemlx.store.reading import open_database

Table = Literal["instances", "regional"]
GROUP_ROWS = 50_000


def export(folder: Path, path: Path, *, table: str = "instances", where: str = "", sweep: int | None = None) -> None:
    """Write a run's results to a file, as its ending says; raises ResultError.

    `where` is a condition in SQL. .csv and .parquet have all sweeps, or the one that `sweep` numbers, one row per
    instance (or instance and region); .nc has one sweep, the latest unless told, over its axes.
    """
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise ResultError(f"{path.name} does not say which kind of file it is", f"end it in {', '.join(FORMATS)}")
    if table not in ("instances", "regional"):
        raise ResultError(f"{table!r} cannot be exported", did_you_mean(table, ("instances", "regional", "best")))
    open_database(folder).close()  # says by itself what is wrong with the folder
    check_place(path)
    with told(f"{path} cannot be written"), replacing(path) as temporary:
        write(folder, temporary, table, where, sweep)


def _select(folder: Path, table: str, where: str, sweep: int | None) -> str:
    conditions = [f"({where})"] if where else []
    if table == "regional" and where:
        conditions = [f"instance IN (SELECT instance FROM instances WHERE {where})"]
    if sweep is not None:
        conditions.append(_of_sweep(folder, sweep))
    chosen = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {table}{chosen} ORDER BY instance"


def _of_sweep(folder: Path, sweep: int) -> str:
    """The condition for instances that a sweep brought; those it shares with earlier ones are theirs."""
    with closing(open_database(folder)) as connection:
        known = connection.execute("SELECT sweep, first_instance, n_instances FROM sweeps").fetchall()
    for number, first, count in known:
        if number == sweep:
            return f"instance BETWEEN {first} AND {first + count - 1}"
    raise ResultError(f"the run has no sweep {sweep}", f"its sweeps are 0 to {len(known) - 1}")


def _write_csv(folder: Path, path: Path, table: str, where: str, sweep: int | None) -> None:
    with (
        asking(folder, _select(folder, table, where, sweep)) as answer,
        path.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(answer.headers)
        writer.writerows(answer.rows)


def _write_parquet(folder: Path, path: Path, table: str, where: str, sweep: int | None) -> None:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise ResultError("Parquet files need pyarrow", "pip install pyarrow, or write .csv") from error
    schema = arrow.schema(_fields(folder, table))
    with (
        asking(folder, _select(folder, table, where, sweep)) as answer,
        parquet.ParquetWriter(path, schema, compression="zstd") as writer,
    ):
        for group in _columns(answer):
            arrays = [arrow.array(values, field.type) for values, field in zip(group, schema, strict=True)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))


def _fields(folder: Path, table: str) -> list[Any]:
    """Columns with their types, and units and descriptions as metadata."""
    import pyarrow as arrow

    types = {"INTEGER": arrow.int64(), "REAL": arrow.float64(), "TEXT": arrow.string()}
    about = {item.name: item for item in overview(folder).columns if item.table == table}
    with closing(open_database(folder)) as connection:
        found = connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
    fields = []
    for _, name, kind, *_ in found:
        item = about.get(name)
        metadata = {"unit": item.unit, "description": item.description} if item else {}
        fields.append(arrow.field(name, types[kind], metadata=metadata))
    return fields


def _columns(answer: Answer) -> Iterator[list[tuple[Any, ...]]]:
    """Rows as groups of columns."""
    group: list[tuple[Any, ...]] = []
    for row in answer.rows:
        group.append(row)
        if len(group) == GROUP_ROWS:
            yield list(zip(*group, strict=True))
            group = []
    if group:
        yield list(zip(*group, strict=True))


def _write_netcdf(folder: Path, path: Path, table: str, where: str, sweep: int | None) -> None:
    from ratemlx.store.gridded import results_table

    if table != "instances":
        raise ResultError("a .nc file has metrics of regions beside all others", "leave --table out")
    results_table(folder, where=where, sweep=sweep).to_netcdf(path, engine="h5netcdf")


FORMATS: dict[str, Callable[[Path, Path, str, str, int | None], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".nc": _write_netcdf,
}
