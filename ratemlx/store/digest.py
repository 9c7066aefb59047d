"""One hash of all results in a run's database, the same whatever the batches, ranks and interruptions it came from.

Knows tables, not what is in them.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from ratemlx.store.catalogue import quoted
from ratemlx.store.reading import open_database, unreadable

TABLES = {
    "parameters": "position",
    "metrics": "column_name",
    "regions": "region",
    "instances": "instance",
    "regional": "instance, region",
    "arrays": "instance, name, exposure",
}
"""Tables of results and the order of their rows. Shards, commands and dates depend on how a run went."""


def database_digest(folder: str | Path) -> str:
    """The hash of a run's results, over sorted rows; raises ResultError where there is no database."""
    found = hashlib.blake2b(digest_size=16)
    with closing(open_database(folder)) as connection:
        try:
            for table, order in TABLES.items():
                for row in connection.execute(f"SELECT * FROM {quoted(table)} ORDER BY {order}"):
                    found.update(repr(row).encode())
        except sqlite3.Error as error:
            raise unreadable(Path(folder), error) from error
    return found.hexdigest()
