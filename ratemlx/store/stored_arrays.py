"""Arrays of single instances read back from a run's database: connectivity, series of the best, BOLD signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratemlx.store.matrices import unpacked
from ratemlx.store.reading import reading
from ratemlx.store.shard import StoredArray


def read_arrays(folder: Path, name: str) -> list[StoredArray]:
    """All arrays of a name, matrices whole, in the order of instances; raises ResultError."""
    query = "SELECT instance, exposure, shape, dtype, data FROM arrays WHERE name = ? ORDER BY instance, rowid"
    with reading(folder) as connection:
        rows = connection.execute(query, (name,)).fetchall()
    found = []
    for instance, exposure, shape, dtype, data in rows:
        values = unpacked(str(shape), str(dtype), data)
        sizes = "x".join(map(str, values.shape))
        found.append(StoredArray(int(instance), name, str(exposure), sizes, np.ascontiguousarray(values)))
    return found
