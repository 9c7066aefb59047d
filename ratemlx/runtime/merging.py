"""Parts of a sweep put together: what `ratemlx run --part` wrote becomes one run, and a database is made again.

Knows run folders and the store; needs neither model nor device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.runtime.finishing import finish, write_points
from ratemlx.runtime.folder_lock import locked
from ratemlx.runtime.parts import PARTS
from ratemlx.store import RunStore, database
from ratemlx.store.database import Contents
from ratemlx.store.files import announce, flush_folder, told
from ratemlx.store.layout import RUN_FILE, SHARDS
from ratemlx.store.points import same_numbers
from ratemlx.store.run_file import read_contents
from ratemlx.store.shards import shard_files


@dataclass(frozen=True)
class Merged:
    """What a folder holds after merging; `missing` tells what no sweep has results of, and what computes it."""

    n_shards: int
    n_finished: int
    n_points: int
    warnings: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every point of every sweep is there."""
        return self.n_finished == self.n_points


def merge(folder: Path) -> Merged:
    """Move the shards of all parts of a run into its folder and bring its database up to date.

    A folder without parts gets its database made anew from its shards. Parts that are still running are refused, as is
    a part of another run; merging again later adds what has come since. Shards that others cover wholly, as two ways
    of parting a sweep leave them, are deleted. Raises ResultError.
    """
    if not folder.is_dir():
        raise ResultError(f"there is no folder {folder}", "give the folder that `ratemlx run` was told with -o")
    with locked(folder):
        parts = sorted(path for path in (folder / PARTS).glob("*") if (path / RUN_FILE).exists())
        own = [folder] if (folder / RUN_FILE).exists() or not parts else []
        contents = _contents_of([*own, *parts])
        store, warnings = _open(folder, contents)
        moved = sum(_take_in(path, folder) for path in parts)
        if store.drop_covered() or moved or not parts:
            database.rebuild(folder)
            store, more = _open(folder, contents)
            warnings += more
        found = _found(store, moved, warnings)
        if store.complete:
            finish(store)
        else:
            write_points(store)
    return found


def remake(folder: Path) -> Merged:
    """Make a run's database anew from its shards; damaged ones are moved aside, as a run does. Raises ResultError."""
    contents = read_contents(folder)  # before a lock would make a folder of it
    with locked(folder):
        usable = database.is_usable(folder, contents)
        store, warnings = _open(folder, contents)  # which makes one that is of no use anew
        if usable:
            database.rebuild(folder)
        return _found(store, 0, warnings)


def _open(folder: Path, contents: Contents) -> tuple[RunStore, list[str]]:
    """The store with all sweeps of a run, in their order, and what was found on the way."""
    warnings: list[str] = []
    for points in contents.registry.sweeps:
        store = RunStore.open(folder, contents.stamp, contents.catalogue, points, contents.provenance, computes=False)
        warnings += store.warnings
    return store, warnings


def _found(store: RunStore, moved: int, warnings: list[str]) -> Merged:
    registry = store.contents.registry
    count = sum(int(registry.registration(number).new.sum()) for number in range(len(registry.sweeps)))
    return Merged(moved, len(store.present()), count, tuple(warnings), tuple(store.missing()))


def _take_in(part: Path, folder: Path) -> int:
    """Move the shards of a part; gives their number."""
    with locked(part):
        paths = shard_files(part)
        with told(f"the shards in {part} cannot be moved to {folder}"):
            for path in paths:
                announce("move", path)
                path.replace(folder / SHARDS / path.name)
            flush_folder(folder / SHARDS)
    return len(paths)


def _contents_of(folders: Sequence[Path]) -> Contents:
    """What a run and its parts hold together: the sweeps of the folder that has most. Raises ResultError."""
    runs = {path: read_contents(path) for path in folders}
    first = runs[folders[0]]
    most = max(runs.values(), key=lambda run: len(run.registry.sweeps))
    for other in (first, most):
        for path, run in runs.items():
            _check_same(path, run, other)
    return most


def _check_same(path: Path, run: Contents, other: Contents) -> None:
    if run.stamp != other.stamp:
        raise ResultError(f"{path} is a part of another run", "move it out of the folder")
    if not same_numbers(run.registry.sweeps, other.registry.sweeps):
        raise ResultError(f"{path} is a part of another sweep", "move it out of the folder, and run that part again")
