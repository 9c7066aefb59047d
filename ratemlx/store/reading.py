"""Opening a run's database to read it, at any time, also while a run is writing it; nothing can be changed through it.

A process killed in the middle of a commit leaves a journal, which SQLite plays back when the file is opened next. That
needs a connection that may write, so it is done first and by itself.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from ratemlx.errors import ResultError
from ratemlx.store import schema
from ratemlx.store.functions import add_functions
from ratemlx.store.layout import DATABASE_FILE, RUN_FILE, SHARDS

WAIT_SECONDS = 10.0
ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
HARMLESS_PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "compile_options"}
)
FAULTS = {
    "not a database": "is no database: its first bytes are not what SQLite writes",
    "malformed": "is damaged",
    "disk I/O error": "is damaged or cut short, or the disk does not answer",
    "no such": "is not what a run writes: tables or columns are missing",
    "locked": "is locked by a process that writes it; try again in a while",
    "unable to open": "cannot be opened; look at its permissions, and those of its folder",
}
"""What is wrong with a file by words of SQLite's messages."""
FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})


def open_database(folder: str | Path) -> sqlite3.Connection:
    """A connection to a run's database that can only read; raises ResultError where there is none.

    Take the run's folder. Anything but SELECT is refused by SQLite itself: writing, attaching other files, changing
    settings. Close it when done: a run that is going on waits for readers.
    """
    path = _database_in(Path(folder))
    try:
        connection = _connect(path)
    except sqlite3.Error as error:
        raise unreadable(path, error) from error
    return connection


@contextmanager
def reading(folder: str | Path) -> Iterator[sqlite3.Connection]:
    """As `open_database`, closed at the end; what SQLite finds wrong with the file is told as a ResultError.

    So are values that do not have their column's kind, for SQLite takes any: within, values are read and no more.
    """
    with closing(open_database(folder)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            raise unreadable(Path(folder) / DATABASE_FILE, error) from error
        except (ValueError, TypeError, OverflowError) as error:
            path = Path(folder) / DATABASE_FILE
            raise ResultError(f"{path} holds a value that no run writes there", _remedy(path)) from error


def unreadable(path: Path, error: sqlite3.Error) -> ResultError:
    """The error for a database that SQLite cannot read, in our words where SQLite's are known."""
    text = str(error)
    known = next((ours for theirs, ours in FAULTS.items() if theirs in text), None)
    if known is None:
        return ResultError(f"{path} cannot be read ({text})", _remedy(path))
    return ResultError(f"{path} {known}", None if "locked" in text else _remedy(path))


def _remedy(path: Path) -> str:
    """How a database is made again; all that is needed for it may be gone."""
    folder = path.parent
    if (folder / RUN_FILE).is_file() and (folder / SHARDS).is_dir():
        if not os.access(folder, os.W_OK):
            return f"{folder} cannot be written: copy it, and make it again there: ratemlx query COPY --rebuild"
        return f"make it again from the run's shards: ratemlx query {shlex.quote(str(folder))} --rebuild"
    return f"put a copy of it back; there are no {RUN_FILE} and {SHARDS} beside it that it could be made again from"


def _database_in(folder: Path) -> Path:
    path = folder / DATABASE_FILE
    if path.is_file():
        return path
    if path.exists():
        raise ResultError(f"{path} is not a file", _remedy(path))
    if not folder.is_dir():
        raise ResultError(f"{folder} is not a folder", "give the folder that a run was told with -o")
    if (folder / RUN_FILE).is_file():
        raise ResultError(f"{folder} holds a run without {DATABASE_FILE}", _remedy(path))
    raise ResultError(f"there is no run in {folder}", "give the folder that a run was told with -o")


def _connect(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        if not _readable(connection):
            connection.close()
            _play_back_journal(path)
            connection = sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != schema.APPLICATION:
            empty = path.stat().st_size == 0
            raise ResultError(f"{path} is {'empty' if empty else 'not the database of a run'}", _remedy(path))
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        add_functions(connection)
        connection.set_authorizer(_authorize)
    except BaseException:
        connection.close()
        raise
    return connection


def _readable(connection: sqlite3.Connection) -> bool:
    """Whether the file can be read as it is; not so if a killed writer's journal has to be played back first."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if "readonly" in str(error) or "unable to open" in str(error):
            return False
        raise
    return True


def _play_back_journal(path: Path) -> None:
    """Let SQLite undo what a killed writer left half done; raises ResultError where the folder cannot be written."""
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        folder = path.parent
        if os.access(folder, os.W_OK) or not path.with_name(f"{path.name}-journal").exists():
            raise
        raise ResultError(
            f"{path} was left half written by a process that was killed, and {folder} cannot be written to undo that",
            f"copy the whole folder to where it can be, and ask there: cp -r {shlex.quote(str(folder))} COPY",
        ) from error


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    """What SQLite asks before it prepares a statement: only reading is allowed."""
    if action == sqlite3.SQLITE_FUNCTION:
        allowed = (second or "").lower() not in FORBIDDEN_FUNCTIONS
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = (first or "").lower() in HARMLESS_PRAGMAS
    else:
        allowed = action in ALLOWED
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
