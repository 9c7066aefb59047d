"""How fast results go through shards into a run's database, how large it gets, and how fast it answers.

`python -m ratemlx.bench.store` prints it for a million made-up instances; `--rows 10_000_000` for ten million, which
takes some 10 GB of disk in `--folder`. Nothing is simulated: what is timed is writing batches with all waits for the
disk, putting them into SQLite while the run goes on, making the database again from its shards, and queries.
"""

from __future__ import annotations

import argparse
import resource
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ratemlx.runtime.arrays import Int64s, bytes_text
from ratemlx.store import Catalogue, MetricEntry, ParameterEntry, Points, Ranking, RunStore, Shard, rebuild
from ratemlx.store.layout import DATABASE_FILE, SHARDS
from ratemlx.store.query import ask
from ratemlx.store.reading import open_database

SWEPT = 4
VALUES_OF_FASTER_AXES = (8, 8, 12)
RANKED = "metric_0"
PROVENANCE = {"model": "none", "samples": 0, "period": 1.0, "exposures": {}}
BATCHES_BETWEEN_INGESTS = 20

QUERIES = {
    "ten best": "SELECT * FROM instances ORDER BY metric_0 DESC LIMIT 10",
    "ten best by a metric without index": "SELECT * FROM instances ORDER BY metric_1 DESC LIMIT 10",
    "one point": "SELECT * FROM instances WHERE p0 = 0.5 AND p1 = 0 AND p2 = 0 AND p3 = 0",
    "one slice (two of four parameters)": "SELECT p2, p3, metric_1 FROM instances WHERE p0 = 0 AND p1 = 0",
    "mean over all, on a map of two parameters": "SELECT p1, p2, avg(metric_1) FROM instances GROUP BY p1, p2",
    "number of diverged": "SELECT count(*) FROM instances WHERE diverged_at IS NOT NULL",
    "number of rows": "SELECT count(*) FROM instances",
    "mean and extremes of a metric": "SELECT avg(metric_5), min(metric_5), max(metric_5) FROM instances",
}


@dataclass(frozen=True)
class Work:
    """What is stored: so many instances in batches, with parameters, metrics, and metrics of regions if any."""

    rows: int
    batch: int = 1000
    parameters: int = 10
    metrics: int = 40
    regional: int = 0
    regions: int = 68

    @property
    def catalogue(self) -> Catalogue:
        """Columns, named by their numbers."""
        whole = [MetricEntry(f"metric_{index}") for index in range(self.metrics)]
        parts = [MetricEntry(f"regional_{index}", regional=True) for index in range(self.regional)]
        return Catalogue(
            parameters=tuple(ParameterEntry(f"p{index}") for index in range(self.parameters)),
            metrics=(*whole, *parts),
            regions=tuple(f"region {index}" for index in range(self.regions)),
            seed=42,
            ranking=Ranking(RANKED),
        )

    @property
    def points(self) -> Points:
        """A grid of four axes of about as many points as rows."""
        slowest = max(1, self.rows // int(np.prod(VALUES_OF_FASTER_AXES)))
        axes = {f"p{axis}": np.linspace(0, 1, size) for axis, size in enumerate((slowest, *VALUES_OF_FASTER_AXES))}
        return Points("grid", axes, {f"p{index}": 1.0 for index in range(SWEPT, self.parameters)})

    def shards(self, instances: Int64s) -> Iterator[Shard]:
        """Made-up results, one batch after the other; each 100th instance diverges."""
        random = np.random.default_rng(1)
        for start in range(0, len(instances), self.batch):
            some = instances[start : start + self.batch]
            yield Shard(
                instances=some,
                diverged_at=np.where(some % 100 == 99, 5000, -1).astype(np.int32),
                column_names=tuple(f"metric_{index}" for index in range(self.metrics)),
                columns=random.random((len(some), self.metrics)),
                regional_names=tuple(f"regional_{index}" for index in range(self.regional)),
                regional=(
                    random.random((len(some), self.regions, self.regional), dtype=np.float32) if self.regional else None
                ),
            )


@dataclass(frozen=True)
class Figures:
    """Seconds and bytes of one work."""

    rows: int
    shards: int
    open: float
    write: float
    ingest: float
    finish: float
    rebuild: float
    reopen: float
    result: float
    result_bytes: int
    shard_bytes: int
    database_bytes: int
    queries: dict[str, float]


def measure_store(work: Work, folder: Path) -> Figures:
    """Store made-up results in a folder, and ask for them."""
    started = time.perf_counter()
    store = RunStore.open(folder, "benchmark", work.catalogue, work.points, PROVENANCE)
    pending = store.pending()
    opened = time.perf_counter() - started
    write = ingest = 0.0
    for number, shard in enumerate(work.shards(pending), 1):
        started = time.perf_counter()
        store.keep(shard)
        kept = time.perf_counter()
        if number % BATCHES_BETWEEN_INGESTS == 0:
            store.ingest()
        write, ingest = write + kept - started, ingest + time.perf_counter() - kept
    finish = _seconds(store.finish)
    shards = list((folder / SHARDS).glob("*.npz"))
    return Figures(
        rows=len(pending),
        shards=len(shards),
        open=opened,
        write=write,
        ingest=ingest,
        finish=finish,
        rebuild=_seconds(lambda: rebuild(folder)),
        reopen=_seconds(lambda: RunStore.open(folder, "benchmark", work.catalogue, work.points, {})),
        result=_seconds(lambda: _tell(folder)),
        result_bytes=_peak(lambda: _tell(folder)),
        shard_bytes=sum(path.stat().st_size for path in shards),
        database_bytes=(folder / DATABASE_FILE).stat().st_size,
        queries={name: min(_seconds(partial(ask, folder, sql)) for _ in range(2)) for name, sql in QUERIES.items()},
    )


def _tell(folder: Path) -> None:
    """What the end of a run does with its results: open them, and tell of a few."""
    from ratemlx.runtime.open_folder import open_result
    from ratemlx.runtime.report import diverged_remark, result_table

    result = open_result(folder)
    result_table(result)
    diverged_remark(result)


def _peak(action: Callable[[], object]) -> int:
    """The largest memory of an action."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def lines(work: Work, found: Figures) -> list[str]:
    """The measurement as a table in text."""
    through = found.write + found.ingest + found.finish
    columns = f"{work.parameters} parameters, {work.metrics} metrics, {work.regional} metrics of {work.regions} regions"
    return [
        f"{found.rows:,} instances, {columns}, {found.shards:,} batches of {work.batch:,}",
        f"  through shards into SQLite  {through:8.1f} s  {found.rows / through:10,.0f} instances/s",
        f"    write shards              {found.write:8.1f} s",
        f"    put them in meanwhile     {found.ingest:8.1f} s",
        f"    finish                    {found.finish:8.1f} s",
        f"  merge all shards at once    {found.rebuild:8.1f} s  {found.rows / found.rebuild:10,.0f} instances/s",
        f"  number the points           {found.open:8.1f} s",
        f"  open again, all checked     {found.reopen:8.1f} s",
        f"  open the result, and tell   {found.result:8.1f} s, {bytes_text(found.result_bytes)} of memory,"
        f" {found.result_bytes / found.rows:.0f} per row",
        f"  shards                      {bytes_text(found.shard_bytes)}, {found.shard_bytes / found.rows:.0f} per row",
        f"  database                    {bytes_text(found.database_bytes)},"
        f" {found.database_bytes / found.rows:.0f} per row",
        f"  largest memory              {bytes_text(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)}",
        *(f"  {name:<42} {1e3 * seconds:10,.1f} ms" for name, seconds in found.queries.items()),
    ]


def plans(folder: Path) -> list[str]:
    """How SQLite answers the queries."""
    with closing(open_database(folder)) as connection:
        return [
            f"  {name:<42} {row[3]}"
            for name, sql in QUERIES.items()
            for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the store on this machine and print it."""
    parser = argparse.ArgumentParser(prog="python -m ratemlx.bench.store", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--parameters", type=int, default=10)
    parser.add_argument("--metrics", type=int, default=40)
    parser.add_argument("--regional", type=int, default=0, help="metrics of regions")
    parser.add_argument("--folder", type=Path, help="where to write; the system's temporary folder if left out")
    parser.add_argument("--plans", action="store_true", help="print how SQLite answers the queries")
    given = parser.parse_args(arguments)
    work = Work(given.rows, given.batch, given.parameters, given.metrics, given.regional)
    with TemporaryDirectory(dir=given.folder) as folder:
        print("\n".join(lines(work, measure_store(work, Path(folder)))))
        if given.plans:
            print("\n".join(plans(Path(folder))))


if __name__ == "__main__":
    main()
