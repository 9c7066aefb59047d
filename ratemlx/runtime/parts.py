"""Parts of a sweep: which points are a part's own, and which of them the folder holds that it will be merged into.

Knows folders and numbers; the folder of the whole is only read, for other parts and a merge may be at work there.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Bools, Int64s
from ratemlx.runtime.fingerprint import differences
from ratemlx.runtime.folder_lock import locked
from ratemlx.runtime.spec import Job
from ratemlx.store import Points, RunStore
from ratemlx.store.discarding import Found, counted, discard, size_of
from ratemlx.store.files import told
from ratemlx.store.layout import RUN_FILE
from ratemlx.store.overlap import held_by
from ratemlx.store.points import same_numbers
from ratemlx.store.run_file import read_contents

PARTS = "parts"


def part_folder(folder: Path, part: tuple[int, int]) -> Path:
    """Where part I of N writes, within the folder of the whole."""
    return folder / PARTS / f"{part[0]:05d}-of-{part[1]:05d}"


def part_folders(folder: Path) -> list[Path]:
    """Those of all parts that have begun, and were not deleted."""
    return sorted(path for path in (folder / PARTS).glob("*") if re.fullmatch(r"\d+-of-\d+", path.name))


def discardable(folder: Path) -> list[Found]:
    """What `discard_parts` would delete; raises ResultError if one of them is running."""
    folders = part_folders(folder)
    for part in folders:
        with locked(part):
            pass
    return [Found(counted(len(folders), "part", "parts"), sum(map(size_of, folders)))] if folders else []


def discard_parts(folder: Path, also: Sequence[str] = ()) -> None:
    """Delete all parts, each with the files that `also` names; raises ResultError if one of them is running."""
    for part in part_folders(folder):
        with locked(part), told(f"{part} cannot be deleted"):
            discard(part, also)
            shutil.rmtree(part)
    with suppress(OSError):  # not there, or it holds what no run has written
        (folder / PARTS).rmdir()


def share(part: tuple[int, int], count: int) -> slice:
    """The places of part I of N in a sweep of `count` points: stretches of equal length."""
    index, parts = part
    return slice(index * count // parts, (index + 1) * count // parts)


def own_places(job: Job) -> Int64s | None:
    """Places of the points that fall to a job; None where it is no part, for all do."""
    count = job.sweep.n_instances
    return None if job.spec.part is None else np.arange(count)[share(job.spec.part, count)]


@dataclass(frozen=True, eq=False)
class Whole:
    """The run that parts were merged into before, if any: its folder, and its sweeps in their order."""

    folder: Path
    sweeps: Sequence[Points] = ()

    @classmethod
    def of(cls, folder: Path, fingerprint: dict[str, str], stamp: str) -> Whole:
        """What is there; raises ResultError for another run, with which a part could never be merged."""
        if not (folder / RUN_FILE).exists():
            return cls(folder)
        contents = read_contents(folder)
        if contents.stamp != stamp:
            differs = ", ".join(differences(contents.provenance.get("fingerprint") or {}, fingerprint))
            raise ResultError(
                f"{folder} holds another run; what differs: {differs}", "choose another folder, or delete what is there"
            )
        return cls(folder, contents.registry.sweeps)

    def finished(self, part: RunStore, places: slice) -> Bools:
        """Which of a part's points, at these places of its sweep, are in shards of the whole.

        Raises ResultError if the two number their points differently.
        """
        registry, numbers = part.contents.registry, part.registration.instances
        found = np.zeros(len(numbers), dtype=bool)
        if not self.sweeps:
            return found
        if not same_numbers(self.sweeps, registry.sweeps):
            raise ResultError(
                f"{part.folder} is a part of another sweep than {self.folder} holds",
                "add --restart to compute this part anew",
            )
        wanted = np.zeros(registry.firsts[-1], dtype=bool)
        wanted[numbers[places]] = True
        wanted[part.present()] = False
        found[places] = held_by(self.folder, part.contents.stamp, wanted)[numbers[places]]
        return found
