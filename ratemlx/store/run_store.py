"""One run's results on disk, as a run sees them: what is finished, what is left, keep a batch, finish.

    with locked(folder):                                  # one owner per folder: runtime.folder_lock
        store = RunStore.open(folder, stamp, catalogue, points, provenance, restart=False)   # rank 0 alone
        todo = store.pending()                            # numbers of instances, to share out among ranks
        values = store.columns(todo)                      # their parameters
        writer = ShardWriter(folder, stamp, rank)         # on every rank, after rank 0 has opened the store
        writer.keep(shard)                                # a finished batch; survives a crash when this returns
        store.ingest()                                    # rank 0, from time to time: all ranks' shards go into SQLite
        store.finish()                                    # rank 0, when all ranks are done

Shards are the truth. Whatever a killed process leaves, the next `open` makes good: damaged shards are moved aside and
what they held is pending again, and the database is brought up to date or built anew. Knows files and arrays; no
kernels, no message passing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Bools, Floats, Int64s
from ratemlx.store import database, run_file
from ratemlx.store.catalogue import Catalogue
from ratemlx.store.database import Contents
from ratemlx.store.discarding import discard, is_bare
from ratemlx.store.files import list_anew, make_folder, move_aside, remove, sweep_up, told
from ratemlx.store.layout import DATABASE_FILE, POINTS, RUN_FILE, SHARDS
from ratemlx.store.missing import missing_lines
from ratemlx.store.overlap import covered
from ratemlx.store.points import Points, Registration, Registry
from ratemlx.store.shards import (
    DamagedShardError,
    Shard,
    ShardHead,
    damaged_folder,
    read_shard,
    read_shards,
    scan,
    shard_files,
    write_shard,
)

Explain = Callable[[Mapping[str, Any]], Sequence[str]]
"""From run.json of the run that is there to what differs from this one, in words."""

SHORT_WAIT = 0.2
"""Seconds that `ingest` waits for a reader: while it waits, nothing is computed."""
FINISH_TRIES = 12
"""Times that `finish` waits for a reader to let go of the database, each database.BUSY_SECONDS."""

LISTING_SECONDS = 90.0
"""How long `expect` waits: by default, NFS may list a folder for a minute as it was (acdirmax in nfs(5))."""
LISTING_PAUSES = 0.1, 5.0
"""Seconds between two looks, at first and at last."""


@dataclass(frozen=True)
class ShardWriter:
    """Keeps the batches of one rank. RUN/shards exists once the store is open."""

    folder: Path
    stamp: str
    rank: int = 0

    def keep(self, shard: Shard) -> Path:
        """Write a finished batch; when this returns, it survives a crash. Raises ResultError."""
        return write_shard(self.folder, self.stamp, replace(shard, rank=self.rank))


class RunStore:
    """A run's folder, opened by its one owner (rank 0). Use `open`.

    `registration` has the numbers of this sweep's points, `warnings` what a user should be told of what was found.
    """

    def __init__(self, folder: Path, contents: Contents, registration: Registration, computes: bool = True) -> None:
        self.folder = folder
        self._computes = computes
        self.registration = registration
        self.warnings: list[str] = []
        self._contents = contents
        self._writer = ShardWriter(folder, contents.stamp)
        self._seen = -1
        self._stock: dict[str, ShardHead] = {}
        self._on_disk = np.zeros(contents.registry.firsts[-1], dtype=bool)
        self._has_begun = False
        self._aside: set[str] = set()

    @classmethod
    def open(
        cls,
        folder: Path,
        stamp: str,
        catalogue: Catalogue,
        points: Points,
        provenance: Mapping[str, Any],
        *,
        restart: bool = False,
        explain: Explain | None = None,
        computes: bool = True,
        earlier: Sequence[Points] = (),
    ) -> RunStore:
        """Open a run's folder, or make one; the caller holds its lock. Raises ResultError.

        `stamp` is the digest of all that decides results but the points: a folder with another stamp is refused, with
        what `explain` finds to differ. `points` may be known, new, or partly new: the run is enlarged. With `restart`
        what is there does not count, and stays as it is until `begin_anew`. `computes` tells whether the caller
        computes what is pending, or only looks after what is there. `earlier` sweeps get their numbers before this
        one's, so that a part of a sweep counts as the folder that it belongs to.
        """
        with told(f"results cannot be written to {folder}"):
            make_folder(folder)
            record = None if restart else run_file.read_record(folder)
            if record is not None and record.get("stamp") != stamp and is_bare(folder):
                # A run that was refused for want of room, or stopped at once, keeps nobody from correcting it.
                discard(folder)
                record = None
            registry = Registry() if restart else _registry_of(folder, record, stamp, catalogue, explain)
            for place in (folder, folder / SHARDS, folder / POINTS):
                sweep_up(place)
            known = len(registry.sweeps)
            for item in earlier:
                registry.register(item)
            registration = registry.register(points)
            store = cls(folder, Contents(stamp, catalogue, registry, provenance), registration, computes)
            _check_parameters(store._contents)
            if not restart:
                store._begin(record if known == len(registry.sweeps) else None)
        return store

    def begin_anew(self, also: Sequence[str] = ()) -> None:
        """After `open` with `restart`: delete what is there, with the files that `also` names. Raises ResultError."""
        with told(f"what is in {self.folder} cannot be replaced"):
            discard(self.folder, also)
        with told(f"results cannot be written to {self.folder}"):
            self._begin(None)

    def _begin(self, record: Mapping[str, Any] | None) -> None:
        """See what is there; `record` is what run.json says of a run with these very sweeps.

        A complete run is left as it is described. Of any other, run.json is written before anything else.
        """
        self._has_begun = True
        was_complete = record is not None and record.get("complete") is True
        if was_complete:
            self._take_stock()
        if record is not None and was_complete and self._on_disk[self.registration.instances].all():
            self._contents = replace(self._contents, provenance=run_file.provenance_of(record))
        else:
            run_file.write_contents(self.folder, self._contents, complete=False)
            self._take_stock()
        self._open_database()

    @property
    def contents(self) -> Contents:
        """Columns, sweeps and provenance of the run."""
        return self._contents

    @property
    def complete(self) -> bool:
        """Whether every point of this sweep has its results on disk."""
        return bool(self.finished().all())

    def _is_whole(self) -> bool:
        """Whether every point of every sweep has its results on disk."""
        registry = self._contents.registry
        sweeps = range(len(registry.sweeps))
        return all(bool(self._on_disk[registry.registration(sweep).instances].all()) for sweep in sweeps)

    def missing(self) -> list[str]:
        """What no sweep has results of, in words, with the commands that compute it."""
        return missing_lines(self._contents.registry, self.present())

    def finished(self) -> Bools:
        """Which points of this sweep are there, in the order of the points."""
        found: Bools = self._on_disk[self.registration.instances]
        return found

    def pending(self) -> Int64s:
        """Numbers of the instances still to be computed, each once, in ascending order."""
        missing = np.zeros(len(self._on_disk), dtype=bool)
        missing[self.registration.instances[~self.finished()]] = True
        return np.flatnonzero(missing)  # np.unique takes a minute for ten million

    def present(self) -> Int64s:
        """Numbers of all instances of all sweeps whose results are on disk by now, in ascending order."""
        self._take_stock()
        return np.flatnonzero(self._on_disk)

    def drop_covered(self) -> int:
        """Delete shards whose instances are all in others too, as two ways to part a sweep leave; tells how many."""
        self._take_stock()
        found = covered(tuple(self._stock.values()), len(self._on_disk))
        for head in found:
            with told(f"{head.path} cannot be deleted"):
                remove(head.path)
        self._take_stock()
        return len(found)

    def shed_series(self) -> None:
        """Write all shards that hold series anew without them, for who has put the series somewhere else."""
        for path in shard_files(self.folder):
            shard = read_shard(path, self._contents.stamp)
            if shard.series is not None:
                # The new one first: what is between the two is stored twice for a moment, and never lost.
                smaller = write_shard(self.folder, self._contents.stamp, replace(shard, series=None))
                self._patiently(partial(database.rename_shard, self.folder, path.name, smaller.name))
                with told(f"{path} cannot be deleted"):
                    remove(path)

    def columns(self, instances: Int64s) -> dict[str, Floats]:
        """Value of every parameter of some instances, by their numbers."""
        return self._contents.registry.columns(instances)

    def keep(self, shard: Shard) -> Path:
        """Write a finished batch of this process (rank 0); when this returns, it survives a crash."""
        return self._writer.keep(shard)

    def ingest(self, seconds: float = math.inf) -> int:
        """Put shards that any rank has finished into the database; gives the number of new rows.

        Cheap when there are none; begins nothing more after so many seconds, and goes on at the next call. Somebody
        reading the database can keep it locked: then this gives 0, and the shards go in later. Raises ResultError when
        the disk is full.
        """
        changed = (self.folder / SHARDS).stat().st_mtime_ns
        if changed == self._seen:
            return 0
        try:
            rows, whole = self._ingest(SHORT_WAIT, seconds)
        except database.BusyError:
            return 0
        if whole:
            self._seen = changed
        return rows

    def expect(self, names: Iterable[str]) -> None:
        """Wait until shards that any rank has written can be seen here, by their names; raises ResultError.

        On a network file system a computer may list a folder for a while as it was before others wrote there.
        """
        wanted, (pause, longest) = set(names), LISTING_PAUSES
        last = time.monotonic() + LISTING_SECONDS
        while lost := wanted - self._aside - {path.name for path in shard_files(self.folder)}:
            if time.monotonic() > last:
                raise ResultError(
                    f"{len(lost):,} of {len(wanted):,} batches that were written to {self.folder / SHARDS} by this run"
                    f" cannot be seen after {LISTING_SECONDS:g} s, such as {min(lost)}",
                    "nothing that the file system has kept is lost: give the same command again when it shows them",
                )
            with told(f"results cannot be written to {self.folder / SHARDS}"):
                list_anew(self.folder / SHARDS)
            time.sleep(pause)
            pause = min(2 * pause, longest)

    def shards(self) -> Iterator[Shard]:
        """All shards of all ranks and sweeps, one at a time, with their series."""
        return read_shards(self.folder, self._contents.stamp)

    def finish(
        self, provenance: Mapping[str, Any] | None = None, before: Callable[[], Mapping[str, Any]] | None = None
    ) -> None:
        """Put in what is left of this sweep, and mark the run complete, unless another sweep is not: `warnings` say so.

        `provenance` adds to or replaces what `open` was given. `before` is called when all rows are in and before the
        mark, and gives more. Raises ResultError if instances of this sweep are missing, which the same command then
        computes.
        """
        self._contents = replace(self._contents, provenance={**self._contents.provenance, **(provenance or {})})
        self._patiently(self._ingest)
        self._take_stock()
        if not self.complete:
            raise ResultError(
                f"{len(self.pending()):,} instances are missing in {self.folder}", "give the same command again"
            )
        if before is not None:
            more = {**self._contents.provenance, **before()}
            self._contents = replace(self._contents, provenance=more)
        self._patiently(lambda: database.describe(self.folder, self._contents))
        self._patiently(lambda: database.settle(self.folder, self._contents, shard_files(self.folder)))
        lost = [] if self._is_whole() else self.missing()
        run_file.write_contents(self.folder, self._contents, complete=not lost)
        self.warnings += [f"{self.folder} also holds a sweep that is not finished: {line}" for line in lost]

    def _take_stock(self) -> None:
        """Read all shards through that were not before; damaged ones are moved aside."""
        if not self._has_begun:  # what is there is another run's
            return
        found = scan(self.folder, self._contents.stamp, known=self._stock)
        for path in found.damaged:
            self._set_aside(path)
        self._stock = {head.path.name: head for head in found.shards}
        self._on_disk = np.zeros(self._contents.registry.firsts[-1], dtype=bool)
        for head in found.shards:
            try:
                self._on_disk[head.instances] = True
            except IndexError:
                raise ResultError(
                    f"{head.path} holds instances that no sweep of this run has", "take it out of the folder"
                ) from None

    def _set_aside(self, path: Path) -> None:
        with told(f"the damaged shard {path} cannot be moved aside"):
            moved = move_aside(path, damaged_folder(self.folder))
        self._aside.add(path.name)
        then = "is computed again" if self._computes else "is missing until it is computed again"
        self.warnings.append(f"{path.name} was damaged and is now {moved}; what it held {then}")

    def _open_database(self) -> None:
        """A database of this run is brought up to date; any other is made anew, from the shards."""
        complete = self.complete
        if database.is_usable(self.folder, self._contents):
            if not complete:
                self._patiently(lambda: database.drop_indices(self.folder))
            self._patiently(lambda: database.describe(self.folder, self._contents))
            self._patiently(self._ingest)
        else:
            database.build(self.folder, self._contents, shard_files(self.folder), indices=complete)

    def _ingest(self, wait: float | None = None, seconds: float = math.inf) -> tuple[int, bool]:
        """Put in all shards that are not in; damaged ones are moved aside and their instances are missing."""
        while True:
            try:
                return database.ingest(self.folder, self._contents, shard_files(self.folder), wait, seconds)
            except DamagedShardError as error:
                self._set_aside(error.path)

    def _patiently(self, action: Callable[[], object]) -> None:
        for tries_left in reversed(range(FINISH_TRIES)):
            try:
                action()
            except database.BusyError:
                if not tries_left:
                    raise
            else:
                return


def _registry_of(
    folder: Path, record: Mapping[str, Any] | None, stamp: str, catalogue: Catalogue, explain: Explain | None
) -> Registry:
    """The sweeps of the run that is there, if it is the same run; raises ResultError if it is another."""
    hint = "choose another folder, or add --restart to replace what is there"
    if record is None:
        found = [name for name in (DATABASE_FILE, SHARDS) if _has_content(folder / name)]
        if found:
            hint = run_file.remedy(folder) if run_file.spare_of(folder).is_file() else hint
            raise ResultError(f"{folder} holds {found[0]} and no {RUN_FILE}, which would say of which run it is", hint)
        return Registry()
    if record.get("stamp") != stamp:
        differs = ", ".join(explain(record)) if explain is not None else ""
        raise ResultError(f"{folder} holds another run{f'; what differs: {differs}' if differs else ''}", hint)
    there = run_file.read_contents(folder)
    if changed := there.catalogue.changed(catalogue):
        raise ResultError(f"{folder} holds a run with other columns; what differs: {', '.join(changed)}", hint)
    return there.registry


def _has_content(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _check_parameters(contents: Contents) -> None:
    named = {item.name for item in contents.catalogue.parameters}
    odd = named ^ set(contents.registry.parameters)
    if odd:
        raise ResultError(f"the catalogue and the points differ in parameters: {', '.join(sorted(odd))}")
