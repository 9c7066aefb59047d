"""Opening a run's database to read it, at any time, also while a run is writing it; nothing can be changed through it.

A process killed in the middle of a commit leaves a journal, which SQLite plays back when the file is opened next. That
needs a connection that may write, so it is done first and by itself.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ratemlx.errors import ResultError
from ratemlx.store import schema
from ratemlx.store.functions import add_functions
from ratemlx.store.layout import DATABASE_FILE, RUN_FILE

WAIT_SECONDS = 10.0
ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
HARMLESS_PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "compile_options"}
)
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


def unreadable(path: Path, error: sqlite3.Error) -> ResultError:
    """The error for a database that SQLite cannot read."""
    return ResultError(
        f"{path} cannot be read: {error}", "it can be made again from the shards: ratemlx query RUN --rebuild"
    )


def _database_in(folder: Path) -> Path:
    path = folder / DATABASE_FILE
    if path.is_file():
        return path
    if not folder.is_dir():
        raise ResultError(f"{folder} is not a folder", "give the folder that a run was told with -o")
    if (folder / RUN_FILE).is_file():
        raise ResultError(f"{folder} holds a run without {DATABASE_FILE}", f"ratemlx query {folder} --rebuild makes it")
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
            raise ResultError(f"{path} is not the database of a run")
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
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    """What SQLite asks before it prepares a statement: only reading is allowed."""
    if action == sqlite3.SQLITE_FUNCTION:
        allowed = (second or "").lower() not in FORBIDDEN_FUNCTIONS
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = (first or "").lower() in HARMLESS_PRAGMAS
    else:
        allowed = action in ALLOWED
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
