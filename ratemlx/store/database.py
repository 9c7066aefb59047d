"""The database of a run: one SQLite file with a row per instance, made from shards by one process alone.

Every group of shards goes in by one transaction together with their names, so that none goes in twice. There is no
write-ahead log, which shared file systems cannot have. A killed process leaves every committed group readable.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from ratemlx.errors import ResultError
from ratemlx.store import schema
from ratemlx.store.catalogue import Catalogue, quoted
from ratemlx.store.files import TEMPORARY, announce, flush_folder, remove
from ratemlx.store.layout import DATABASE_FILE
from ratemlx.store.points import Points, Registry
from ratemlx.store.rows import Rows
from ratemlx.store.shard import Shard
from ratemlx.store.shards import read_shard, shard_files

GROUP_ROWS = 50_000
"""Rows of one transaction, about: a commit costs two waits for the disk."""
BUSY_SECONDS = 5.0
BULK_CACHE_KIB = 262_144


@dataclass(frozen=True, eq=False)
class Contents:
    """What a run's database is made of, beside its shards."""

    stamp: str
    catalogue: Catalogue
    registry: Registry
    provenance: Mapping[str, Any]


class BusyError(ResultError):
    """Somebody reads the database and keeps it locked."""


def path_of(folder: Path) -> Path:
    """The database in a run's folder."""
    return folder / DATABASE_FILE


def is_usable(folder: Path, contents: Contents) -> bool:
    """Whether there is a database of this run with these columns, undamaged as far as a first look can tell."""
    path = path_of(folder)
    if not path.is_file():
        return False
    try:
        with closing(_connect(path)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if (application, version) != (schema.APPLICATION, schema.VERSION):
                return False
            known = dict(connection.execute("SELECT name, value FROM provenance"))
            return (known.get("stamp"), known.get("columns")) == (_json(contents.stamp), _columns_hash(contents))
    except sqlite3.OperationalError as error:
        if _is_busy(error):
            raise _busy(path) from error
        return False
    except sqlite3.DatabaseError:
        return False


def ingest(
    folder: Path, contents: Contents, shards: Sequence[Path], wait: float | None = None, seconds: float = math.inf
) -> tuple[int, bool]:
    """Put shards in that are not in yet, as many as fit into so many seconds; gives new rows, and whether all are in.

    Raises ResultError; BusyError if somebody who reads does not let go within `wait` seconds.
    """
    path = path_of(folder)
    with writing(path), closing(_connect(path, wait)) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM shards")}
        return _insert_all(connection, contents, [item for item in shards if item.name not in known], seconds)


def describe(folder: Path, contents: Contents) -> None:
    """Bring provenance and sweeps up to date; raises ResultError."""
    path = path_of(folder)
    with writing(path), closing(_connect(path)) as connection, _transaction(connection, path):
        _write_descriptions(connection, contents)


def drop_indices(folder: Path) -> None:
    """Before many rows go in, take away the indices that `settle` makes; raises ResultError."""
    path = path_of(folder)
    with writing(path), closing(_connect(path)) as connection, _transaction(connection, path):
        for name in (schema.UNIQUE_POINTS, schema.RANKING):
            connection.execute(f"DROP INDEX IF EXISTS {name}")


def settle(folder: Path, contents: Contents, shards: Sequence[Path]) -> None:
    """After a run's last shard: make indices, and forget shards that are gone; raises ResultError."""
    path = path_of(folder)
    names = {item.name for item in shards}
    with writing(path), closing(_connect(path)) as connection:
        connection.execute(f"PRAGMA cache_size = -{BULK_CACHE_KIB}")
        with _transaction(connection, path):
            _make_indices(connection, contents)
            gone = [item for item in connection.execute("SELECT name FROM shards") if item[0] not in names]
            connection.executemany("DELETE FROM shards WHERE name = ?", gone)
        connection.execute("PRAGMA analysis_limit = 1000")
        connection.execute("ANALYZE")


def _make_indices(connection: sqlite3.Connection, contents: Contents) -> None:
    """Make the indices that are not there."""
    known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    for name, statement in schema.late_indices(contents.catalogue, contents.registry.varied).items():
        if name not in known:
            connection.execute(statement)


def rename_shard(folder: Path, old: str, new: str) -> None:
    """Note that a shard has another name, with the same rows; raises ResultError."""
    path = path_of(folder)
    with writing(path), closing(_connect(path)) as connection, _transaction(connection, path):
        connection.execute("UPDATE OR REPLACE shards SET name = ? WHERE name = ?", (new, old))


def build(folder: Path, contents: Contents, shards: Sequence[Path], *, indices: bool = True) -> int:
    """Make the database from shards, in place of any that is there; gives the number of rows. Raises ResultError.

    It is made beside the old one without journal, and takes its place when it is whole; `indices` are left out where
    more rows are to come.
    """
    path = path_of(folder)
    temporary = folder / f".{DATABASE_FILE}{TEMPORARY}"
    with writing(path):
        remove(temporary)
        try:
            with closing(_connect(temporary)) as connection:
                for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{BULK_CACHE_KIB}"):
                    connection.execute(f"PRAGMA {setting}")
                rows = _fill(connection, contents, shards)
                if indices:
                    _make_indices(connection, contents)
            _put_in_place(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return rows


def _fill(connection: sqlite3.Connection, contents: Contents, shards: Sequence[Path]) -> int:
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION}")
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    for statement in schema.tables(contents.catalogue):
        connection.execute(statement)
    connection.execute(schema.DIVERGED_INDEX)
    _write_descriptions(connection, contents)
    rows, _ = _insert_all(connection, contents, shards)
    return rows


def _put_in_place(temporary: Path, path: Path) -> None:
    announce("flush", temporary)
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    # A journal of the old database would be played back into the new one.
    remove(path.with_name(f"{path.name}-journal"))
    announce("rename", path)
    temporary.replace(path)
    flush_folder(path.parent)


def rebuild(folder: Path) -> int:
    """Make a run's database anew from its shards and run.json; gives the number of rows. Raises ResultError.

    No other process may write to the folder meanwhile.
    """
    from ratemlx.store.run_file import read_contents

    return build(folder, read_contents(folder), shard_files(folder))


def _insert_all(
    connection: sqlite3.Connection, contents: Contents, shards: Sequence[Path], seconds: float = math.inf
) -> tuple[int, bool]:
    rows = Rows(contents.catalogue, contents.registry)
    total, left, last = 0, deque(shards), monotonic() + seconds
    while left and monotonic() < last:
        with _transaction(connection, left[0]):
            end = total + GROUP_ROWS
            while left and total < end:
                path = left.popleft()
                shard = read_shard(path, contents.stamp, series=False)
                _insert(connection, rows, path, shard)
                total += len(shard.instances)
                if monotonic() >= last:
                    break
            _keep_best_arrays(connection, contents.catalogue)
    return total, not left


def _insert(connection: sqlite3.Connection, rows: Rows, path: Path, shard: Shard) -> None:
    announce("insert", path)
    _make_room(connection, shard)
    connection.executemany(rows.insert_instance, rows.instances(shard))
    connection.executemany(rows.insert_region, rows.regions(shard))
    connection.executemany(rows.insert_array, rows.arrays(shard))
    connection.execute("INSERT OR REPLACE INTO shards VALUES (?, ?, ?)", (path.name, len(shard.instances), shard.rank))


def _make_room(connection: sqlite3.Connection, shard: Shard) -> None:
    """Take out rows of these instances: of a shard that was damaged later, whose batch was computed again."""
    bounds = (int(shard.instances.min()), int(shard.instances.max()))
    found = connection.execute("SELECT 1 FROM instances WHERE instance BETWEEN ? AND ? LIMIT 1", bounds).fetchone()
    if found is not None:
        numbers = [(number,) for number in shard.instances.tolist()]
        for table in ("instances", "regional", "arrays"):
            connection.executemany(f"DELETE FROM {table} WHERE instance = ?", numbers)


def _keep_best_arrays(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Delete arrays of all instances but the best of those that have any: shards bring those of each batch's best."""
    ranking = catalogue.ranking
    if ranking is None:
        return
    column, order = quoted(catalogue.metric_column(ranking.column)), "DESC" if ranking.largest else "ASC"
    ranked = f"name NOT IN ({', '.join('?' * len(ranking.of_all))})"
    best = (
        f"SELECT instance FROM instances WHERE {column} IS NOT NULL"
        f" AND instance IN (SELECT instance FROM arrays WHERE {ranked}) ORDER BY {column} {order}, instance LIMIT ?"
    )
    # The index has all that the inner query needs; the rows themselves are large.
    connection.execute(
        f"DELETE FROM arrays WHERE rowid IN (SELECT rowid FROM arrays WHERE {ranked} AND instance NOT IN ({best}))",
        (*ranking.of_all, *ranking.of_all, ranking.count),
    )


def _write_descriptions(connection: sqlite3.Connection, contents: Contents) -> None:
    catalogue, registry = contents.catalogue, contents.registry
    stored = {**contents.provenance, "stamp": contents.stamp}
    provenance = [(name, _json(value)) for name, value in stored.items()]
    _replace(connection, "provenance", [*provenance, ("columns", _columns_hash(contents))])
    parameters = [
        (
            *(item.name, position, catalogue.parameter_column(item.name), item.unit, item.description, item.default),
            int(item.name in registry.varied),
        )
        for position, item in enumerate(catalogue.parameters)
    ]
    _replace(connection, "parameters", parameters)
    metrics = [
        (
            *(catalogue.metric_column(item.column), item.metric, item.exposure, item.unit, item.description),
            int(item.regional),
        )
        for item in catalogue.metrics
    ]
    _replace(connection, "metrics", metrics)
    _replace(connection, "regions", list(enumerate(catalogue.regions)))
    sweeps = [
        (number, first, item.count, item.kind, _axes_text(item), item.command, item.date)
        for number, (first, item) in enumerate(zip(registry.firsts, registry.sweeps, strict=False))
    ]
    _replace(connection, "sweeps", sweeps)


def _replace(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute(f"DELETE FROM {table}")
    if rows:
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _axes_text(points: Points) -> str:
    """Axes of a grid with their values; only the names for a table, whose values are those of its instances."""
    if points.kind == "grid":
        return _json({name: values.tolist() for name, values in points.axes.items()})
    return _json(list(points.axes))


def _columns_hash(contents: Contents) -> str:
    """Of all that a database's tables are made of."""
    return _json(hashlib.blake2b(_json(contents.catalogue.to_json()).encode(), digest_size=16).hexdigest())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _connect(path: Path, wait: float | None = None) -> sqlite3.Connection:
    """A connection without implicit transactions; FULL waits for the disk at each commit, which are few."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS if wait is None else wait, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection, about: Path) -> Iterator[None]:
    announce("begin", about)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        announce("commit", about)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn failures of SQLite and of the operating system into ResultError."""
    try:
        yield
    except sqlite3.Error as error:
        if _is_busy(error):
            raise _busy(path) from error
        raise ResultError(f"{path} cannot be written: {error}", "finished batches are kept in shards") from error
    except OSError as error:
        raise ResultError(
            f"{path} cannot be written: {error.strerror or error}", "finished batches are kept in shards"
        ) from error


def _is_busy(error: sqlite3.Error) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _busy(path: Path) -> BusyError:
    return BusyError(f"{path} is locked by somebody who reads it", "end that query and give the same command again")
