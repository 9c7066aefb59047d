"""The end of a run, when the results of all its points are on disk: files that people open, and the mark.

Knows the store and what run.json tells; neither model nor device is needed, so that parts can be merged anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Int64s
from ratemlx.runtime.open_folder import folder_info
from ratemlx.runtime.result import PARAMETERS_FILE, SERIES_FILE, write_parameters
from ratemlx.runtime.series import Block, SeriesInfo, read_blocks, write_netcdf
from ratemlx.runtime.stored_values import read_steps
from ratemlx.store import RunStore, Shard

MAX_ROWS = 1_000_000
"""Points that parameters.csv is written for."""
KEPT = "kept_series"
"""What run.json calls the choice of series to keep: all, none or best."""


def finish(store: RunStore, more: Mapping[str, Any] | None = None) -> None:
    """Put series together, tell how every instance ended, and mark the run complete; `more` goes into run.json.

    Raises ResultError if instances are missing, or where the disk does not take it.
    """
    if keeps_series(store):
        with told(store.folder):
            _write_series(store)
        store.shed_series()
    store.finish(more, before=lambda: _write_status(store))


def keeps_series(store: RunStore) -> bool:
    """Whether the series of all instances belong to the run."""
    return store.contents.provenance.get(KEPT) == "all"


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """An error of the disk as one of the user's."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultError(f"results cannot be written to {folder}: {reason}", "finished batches are kept") from error


def write_points(store: RunStore, steps: AnyArray | None = None) -> None:
    """parameters.csv of this sweep's points; with their status where that is known. Raises ResultError.

    Millions of points are in the database only, where they can be asked for.
    """
    if len(store.registration.instances) > MAX_ROWS:
        return
    with told(store.folder):
        write_parameters(store.folder / PARAMETERS_FILE, _info(store, store.registration.instances), steps)


def _write_status(store: RunStore) -> dict[str, Any]:
    steps = read_steps(store.folder, store.registration.instances)
    write_points(store, steps)
    return {"diverged": int((steps >= 0).sum())}


def _info(store: RunStore, numbers: Int64s) -> SeriesInfo:
    contents = store.contents
    return folder_info(contents.provenance, contents.catalogue, contents.registry, numbers)


def _write_series(store: RunStore) -> None:
    """One file of the series of all points, old and new; what is in the old file is copied from it."""
    path = store.folder / SERIES_FILE
    numbers = np.union1d(store.present(), store.registration.instances)
    dtype = np.dtype(str(store.contents.provenance.get("precision", "float32")))
    write_netcdf(path, _info(store, numbers), dtype, _blocks(store, path, numbers))


def _blocks(store: RunStore, path: Path, numbers: Int64s) -> Iterator[Block]:
    """All series that are somewhere; raises ResultError if some are nowhere."""
    found = [np.empty(0, dtype=np.int64)]
    if path.exists():
        for block in read_blocks(path):
            found.append(block[0])
            yield block
    for shard in store.shards():
        if shard.series is not None:
            found.append(shard.instances)
            yield _block(shard)
    lost = np.setdiff1d(numbers, np.concatenate(found))
    if len(lost):
        raise ResultError(
            f"the series of {len(lost):,} finished instances were in {path}, which is gone",
            "put the file back, or add --restart to compute everything again",
        )


def _block(shard: Shard) -> Block:
    assert shard.series is not None
    return shard.instances, shard.series, shard.diverged_at
