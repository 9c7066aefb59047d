"""Asking a run's database in SQL: read only, interruptible, and with errors that say where and what to do.

Knows SQL as text; how answers are shown is for others.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ratemlx.errors import ResultError, visible
from ratemlx.store.catalogue import quoted
from ratemlx.store.layout import DATABASE_FILE
from ratemlx.store.reading import open_database, unreadable

STEPS_BETWEEN_LOOKS = 20_000
"""Instructions of SQLite's machine between looks at the clock, some 0.2 ms."""
EXCERPT_WIDTH = 100
OF_THE_FILE = ("malformed", "not a database", "disk I/O", "locked")
"""In SQLite's messages: the fault is the database's, not the query's."""
FETCHED = 10_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """Names of the columns, and rows that are read as they are asked for."""

    headers: tuple[str, ...]
    rows: Iterator[Row]


@contextmanager
def asking(folder: str | Path, sql: str, seconds: float | None = None) -> Iterator[Answer]:
    """The answer to one SELECT, to be read within the context; raises ResultError, also while rows are read.

    `seconds` limits the time until the last row. Ctrl-C ends a query at once.
    """
    with closing(open_database(folder)) as connection:
        watch = _Watch(seconds)
        connection.set_progress_handler(watch, STEPS_BETWEEN_LOOKS)
        with _told(connection, sql, watch, Path(folder)):
            cursor = connection.execute(_checked(sql))
        with closing(cursor):
            if cursor.description is None:
                raise ResultError("that is not a query", "SELECT instance, status FROM instances, for example, is one")
            headers = tuple(str(item[0]) for item in cursor.description)
            yield Answer(headers, _rows(cursor, _told(connection, sql, watch, Path(folder))))


def ask(folder: str | Path, sql: str, seconds: float | None = None) -> list[Row]:
    """All rows of the answer to one SELECT; raises ResultError."""
    with asking(folder, sql, seconds) as answer:
        return list(answer.rows)


class _Watch:
    """What SQLite asks while it works, whether to stop: when time is up, or Ctrl-C was pressed."""

    def __init__(self, seconds: float | None) -> None:
        self.end = None if seconds is None else time.monotonic() + seconds
        self.seconds = seconds

    def __call__(self) -> int:
        return int(self.is_over)

    @property
    def is_over(self) -> bool:
        return self.end is not None and time.monotonic() > self.end


def _checked(sql: str) -> str:
    if not sql.strip(" \t\r\n;"):
        raise ResultError("the query is empty")
    return sql


def _rows(cursor: sqlite3.Cursor, told: AbstractContextManager[None]) -> Iterator[Row]:
    with told:
        while rows := cursor.fetchmany(FETCHED):
            yield from rows


@contextmanager
def _told(connection: sqlite3.Connection, sql: str, watch: _Watch, folder: Path) -> Iterator[None]:
    """Turn what SQLite says into one message with the place in the query and a hint."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        text = str(error)
        if "interrupted" in text:
            if not watch.is_over:  # an exception in the watch: that of Ctrl-C
                raise KeyboardInterrupt from error
            raise ResultError(
                f"the query took longer than {watch.seconds:g} s", "ask for less, or allow more"
            ) from error
        if isinstance(error, sqlite3.Error) and any(sign in text for sign in OF_THE_FILE):
            raise unreadable(folder / DATABASE_FILE, error) from error
        connection.set_progress_handler(None, 0)
        raise _explained(connection, sql, text) from error


def _explained(connection: sqlite3.Connection, sql: str, text: str) -> ResultError:
    if any(sign in text for sign in ("not authorized", "prohibited", "readonly")):
        return ResultError("only SELECT is possible: queries cannot change anything, nor open other files")
    if "one statement" in text:
        return ResultError("more than one statement was given", "give one SELECT")
    if found := re.fullmatch(r"no such (column|table): (.+)", text):
        kind, name = found.groups()
        bare = name.rpartition(".")[2]
        known = _columns(connection) if kind == "column" else _tables(connection)
        return ResultError(_with_excerpt(f"there is no {kind} {name}", sql, bare), _similar(bare, known))
    if found := re.fullmatch(r'near "(.+)": syntax error', text):
        return ResultError(_with_excerpt(f"the query cannot be understood near {found[1]!r}", sql, found[1]))
    return ResultError(_with_excerpt(f"the query fails: {text}", sql, ""))


def _similar(name: str, known: list[str]) -> str:
    """The known names closest to one, whatever the case of letters."""
    lower = {item.lower(): item for item in known}
    close = [lower[item] for item in get_close_matches(name.lower(), lower, n=3, cutoff=0.55)]
    close += [item for item in known if name.lower() in item.lower() and item not in close][: 3 - len(close)]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "ratemlx query RUN, without SQL, lists tables and columns"


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _columns(connection: sqlite3.Connection) -> list[str]:
    found = [row[1] for name in _tables(connection) for row in connection.execute(f"PRAGMA table_info({quoted(name)})")]
    return list(dict.fromkeys(map(str, found)))


def _with_excerpt(message: str, sql: str, token: str) -> str:
    """The message, and below it the line of the query with a caret under the token."""
    place = re.search(rf"(?<!\w){re.escape(token)}(?!\w)", sql) if token else None
    start = place.start() if place else 0
    before = sql.rfind("\n", 0, start) + 1
    line = sql[before:].split("\n", 1)[0]
    first = max(0, min(start - before - EXCERPT_WIDTH // 3, len(line) - EXCERPT_WIDTH))
    shown = visible(line[first : first + EXCERPT_WIDTH])
    lines = [message, f"  | {shown}"]
    if place:
        lines.append(f"  | {' ' * (start - before - first)}{'^' * len(token)}")
    return "\n".join(lines)
