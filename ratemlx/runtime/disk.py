"""What a run is going to write, by kind, and whether the disk has room for it. Known before anything runs.

An upper bound, from sizes alone; the most that is there at the same time, when series are being put together. Knows
plans and what is kept; of the disk only how much is free.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.runtime.analysis import Analysis
from ratemlx.runtime.arrays import bytes_text
from ratemlx.runtime.plan import ITEM_BYTES, Plan
from ratemlx.runtime.spec import Job
from ratemlx.store.database import GROUP_ROWS
from ratemlx.store.database_size import DatabaseColumns
from ratemlx.store.files import told

FC_ITEM = 4
"""Bytes of a number of a kept matrix."""
OF_AN_ARRAY = 300
"""What a shard's header tells of an array, and its row in the database."""
PAGE = 4096
"""Of the database: a large value fills whole pages."""
CELL = 20
"""Characters of a number in parameters.csv."""
SERIES, FC, BEST, NUMBERS = "time series", "matrices of all instances", "arrays of the best", "metrics and parameters"
REMEDIES = {
    SERIES: "observe fewer exposures, use a longer period, or keep fewer series (--keep none, --keep best)",
    FC: "leave out --keep-fc, which keeps matrices of all instances, or observe fewer exposures",
    BEST: "keep fewer (--keep best:N), use a longer period, or larger batches, each of which keeps its best",
    NUMBERS: "choose fewer metrics, above all those of regions",
}


@dataclass(frozen=True)
class Written:
    """Bytes by kind, in all files together; `freed` are those of what is discarded before."""

    kinds: dict[str, float]
    freed: int = 0

    @property
    def total(self) -> float:
        """Bytes of all kinds."""
        return sum(self.kinds.values())

    def __str__(self) -> str:
        parts = [f"{kind} {bytes_text(count)}" for kind, count in self.kinds.items() if count]
        return f"{bytes_text(self.total)} ({', '.join(parts)})"


def to_be_written(job: Job, analysis: Analysis, plan: Plan, others: int = 0) -> Written:
    """What the pending instances bring; `others` are there already, whose series are copied into the new file."""
    count, regions = plan.n_instances, job.connectome.n_regions
    item, samples, volumes = ITEM_BYTES[job.spec.precision], analysis.kept_samples, analysis.bold_volumes
    bold, observed = len(analysis.bold_names), len(job.observed)
    matrix = (bold + observed) * _stored(regions * (regions + 1) // 2 * FC_ITEM)
    bold_series = bold * _stored(volumes * regions * item)
    keeps_all = analysis.keep.which == "all"
    of_all = (matrix if job.spec.outputs.keep_fc else 0) + (bold_series if keeps_all else 0)
    of_best = 0 if job.spec.outputs.keep_fc else matrix
    of_best += bold_series + observed * _stored(samples * regions * item) if analysis.keep.which == "best" else 0
    in_shards = sum(min(analysis.n_best, len(batch.instances)) for batch in plan.batches)
    # Those of a group of shards are in the database before the worst are taken out, and SQLite's files never shrink.
    in_database = min(in_shards, analysis.n_best + in_shards * min(1.0, 2 * GROUP_ROWS / max(1, count)))
    series = plan.result_bytes / max(1, count) if keeps_all else 0
    in_file = 0 if job.spec.part is not None else count + others
    return Written(
        {
            SERIES: series * (count + in_file),
            FC: 2 * count * of_all,
            BEST: (in_shards + in_database) * of_best if analysis.fitness is not None else 0,
            NUMBERS: _numbers(job, analysis, count),
        }
    )


def _stored(size: int) -> int:
    """Bytes that an array of so many takes."""
    return size + OF_AN_ARRAY + (PAGE if size > PAGE // 4 else 0)


def _numbers(job: Job, analysis: Analysis, count: int) -> float:
    """Of columns: in shards, in the database, and parameters in a table."""
    catalogue, regions = analysis.catalogue, job.connectome.n_regions
    regional = len(catalogue.of_metrics(regional=True))
    plain = len(catalogue.of_metrics(regional=False))
    ranked = catalogue.ranking is not None
    columns = DatabaseColumns(len(catalogue.parameters), plain, len(job.sweep.names), regional, regions, ranked)
    shards = count * (12 + 8 * plain + 4 * regional * regions)
    return shards + columns.bytes(max(1, count)) + count * CELL * (len(catalogue.parameters) + 2)


def free_bytes(folder: Path) -> int:
    """Bytes that are free where a folder is, or is going to be."""
    with told(f"the room in {folder} cannot be told"):
        place = folder.absolute()
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free


def describe_written(written: Written, folder: Path) -> str:
    """One line for the plan."""
    return f"to be written: at most {written}; {_room(written, free_bytes(folder))} in {folder}"


def _room(written: Written, free: int) -> str:
    more = f", and {bytes_text(written.freed)} more without what is discarded," if written.freed else ""
    return f"{bytes_text(free)}{more} are free"


def check_disk(written: Written, folder: Path) -> None:
    """Refuse what cannot fit; raises ResultError with what takes most."""
    free = free_bytes(folder)
    if written.total > free + written.freed:
        largest = max(written.kinds, key=lambda kind: written.kinds[kind])
        raise ResultError(
            f"the run writes up to {written}; {_room(written, free)} in {folder}",
            f"{REMEDIES[largest]}; or choose a folder on another disk",
        )
