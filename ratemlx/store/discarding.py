"""What a run has left in a folder: told to a user with sizes, and deleted. Knows files and their names, nothing in them
but how many sweeps run.json tells of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import bytes_text
from ratemlx.store import run_file
from ratemlx.store.files import remove
from ratemlx.store.layout import DATABASE_FILE, POINTS, RUN_FILE, SHARDS
from ratemlx.store.shards import damaged_folder, shard_files

JOURNAL_FILE = f"{DATABASE_FILE}-journal"


@dataclass(frozen=True)
class Found:
    """Something that `discard` would delete: what it is, in words, and its size."""

    what: str
    n_bytes: int

    def __str__(self) -> str:
        return f"{self.what} ({bytes_text(self.n_bytes)})"


def discard(folder: Path, also: Sequence[str] = ()) -> None:
    """Delete what a run has left in a folder, run.json last: until then it says of which run the rest is.

    Results go before files that are made of them, so that of a run without such a file no finished batch is left.
    """
    for name in (DATABASE_FILE, JOURNAL_FILE):
        remove(folder / name)
    _discard_folder(folder / SHARDS)
    for name in also:
        remove(folder / name)
    _discard_folder(folder / POINTS)
    remove(folder / RUN_FILE)


def is_bare(folder: Path) -> bool:
    """Whether no batch of a run was finished there and no part of it begun, so that `discard` would lose nothing."""
    damaged = damaged_folder(folder)
    parts = (path for path in folder.rglob(RUN_FILE) if path.parent not in (folder, folder / SHARDS))
    return not (shard_files(folder) or (damaged.is_dir() and any(damaged.iterdir())) or any(parts))


def what_is_there(folder: Path, also: Sequence[str] = ()) -> list[Found]:
    """What `discard` would delete; empty if there is nothing."""
    return list(_found(folder, also))


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 if there is none."""
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(item.stat().st_size for item in files if item.is_file())


def counted(count: int, one: str, many: str) -> str:
    """A number of things: "1 part", "3 parts"."""
    return f"{count:,} {one if count == 1 else many}"


def _found(folder: Path, also: Sequence[str]) -> Iterator[Found]:
    if shards := shard_files(folder):
        batches = counted(len(shards), "finished batch", "finished batches")
        yield Found(f"{batches}{_of_sweeps(folder)}", sum(map(size_of, shards)))
    damaged = damaged_folder(folder)
    if damaged.is_dir() and (count := len(list(damaged.iterdir()))):
        yield Found(counted(count, "damaged batch", "damaged batches"), size_of(damaged))
    for name in (DATABASE_FILE, JOURNAL_FILE, *also, RUN_FILE):
        if (folder / name).is_file():
            yield Found(name, size_of(folder / name))


def _of_sweeps(folder: Path) -> str:
    try:
        return f" of {counted(len((run_file.read_record(folder) or {})['sweeps']), 'sweep', 'sweeps')}"
    except (ResultError, TypeError, KeyError):  # a damaged run.json is what --restart may be for
        return ""


def _discard_folder(folder: Path) -> None:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file():
                remove(path)
        shutil.rmtree(folder)
