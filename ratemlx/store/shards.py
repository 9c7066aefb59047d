"""One file per finished batch, written by the process that computed it, under a name that carries its checksum.

A shard appears whole or not at all and is never changed. Whether it is whole is told by its name alone, before
anything in it is trusted. Knows arrays and files; nothing of databases.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Int64s
from ratemlx.store import shard_format
from ratemlx.store.files import checksum_of, told, write_new
from ratemlx.store.layout import DAMAGED, SHARDS
from ratemlx.store.shard import Shard, StoredArray

__all__ = ["DamagedShardError", "Scan", "Shard", "ShardHead", "StoredArray", "read_shard", "scan", "write_shard"]

NAME = re.compile(r"(?P<first>\d{12,})-(?P<rank>\d+)-(?P<checksum>[0-9a-f]{16})\.npz")


@dataclass(frozen=True, eq=False)
class ShardHead:
    """A whole shard as a scan found it: its file and which instances it holds."""

    path: Path
    instances: Int64s

    @property
    def rank(self) -> int:
        """The process that wrote it."""
        found = NAME.fullmatch(self.path.name)
        return int(found["rank"]) if found else 0


@dataclass(frozen=True, eq=False)
class Scan:
    """Whole shards by name, and files that are not what their names say."""

    shards: tuple[ShardHead, ...]
    damaged: tuple[Path, ...]


def write_shard(folder: Path, stamp: str, shard: Shard) -> Path:
    """Write a finished batch into RUN/shards; when this returns, it survives a crash. Raises ResultError."""
    first = int(shard.instances.min())
    hint = "finished batches are kept; make room and give the same command again"
    with told(f"results cannot be written to {folder / SHARDS}", hint):
        return write_new(
            folder / SHARDS,
            lambda stream: shard_format.write(stream, stamp, shard),
            lambda checksum: f"{first:012d}-{shard.rank}-{checksum}.npz",
        )


def read_shard(path: Path, stamp: str, *, series: bool = True) -> Shard:
    """Read a shard, with or without its series; the whole file is checked first.

    Raises DamagedShardError if it is not what its name says, ResultError if it is of another run.
    """
    _check_whole(path)
    return shard_format.read(path, stamp, series=series)


class DamagedShardError(ResultError):
    """A shard is cut short, altered or not a shard."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is damaged", "give the same command again: what it held is computed anew")
        self.path = path


def scan(folder: Path, stamp: str, known: Mapping[str, ShardHead] | None = None) -> Scan:
    """Read every shard of a run through, and say which are whole; raises ResultError for shards of another run.

    Shards that are `known`, by name, are not read again.
    """
    whole, damaged = [], []
    for path in shard_files(folder):
        if known and path.name in known:
            whole.append(known[path.name])
            continue
        try:
            _check_whole(path)
            whole.append(ShardHead(path, shard_format.read_instances(path, stamp)))
        except DamagedShardError:
            damaged.append(path)
    return Scan(tuple(whole), tuple(damaged))


def shard_files(folder: Path) -> list[Path]:
    """Files in RUN/shards that are named as shards or could have been, by name."""
    try:
        with os.scandir(folder / SHARDS) as entries:
            names = [item.name for item in entries if item.name.endswith(".npz") and not item.name.startswith(".")]
    except FileNotFoundError:
        return []
    return [folder / SHARDS / name for name in sorted(names)]


def read_shards(folder: Path, stamp: str) -> Iterator[Shard]:
    """All shards of a run in order of their names, one at a time."""
    for path in shard_files(folder):
        yield read_shard(path, stamp)


def damaged_folder(folder: Path) -> Path:
    """Where damaged shards of a run are moved."""
    return folder / SHARDS / DAMAGED


def _check_whole(path: Path) -> None:
    """Raise DamagedShardError unless the checksum of the content is the one in the name.

    A file that cannot be read is not damaged: the file system may be ill for a moment, and no shard is given up for it.
    """
    named = NAME.fullmatch(path.name)
    with told(f"{path} cannot be read", "give the same command again when the file system answers"):
        whole = named is not None and checksum_of(path) == named["checksum"]
    if not whole:
        raise DamagedShardError(path)
