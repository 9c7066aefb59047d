"""Small runs for the tests of the store, whose results can be told from the numbers of their instances."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratemlx.runtime.arrays import Int64s
from ratemlx.store.catalogue import Catalogue, MetricEntry, ParameterEntry, Ranking
from ratemlx.store.points import Points
from ratemlx.store.run_store import RunStore
from ratemlx.store.shards import Shard, StoredArray

STAMP = "stamp of the run"
REGIONS = ("lh", "rh", "cc")

CATALOGUE = Catalogue(
    parameters=(ParameterEntry("g", "1", "coupling", 0.3), ParameterEntry("b_e", "pA", "adaptation", 60.0)),
    metrics=(
        MetricEntry("mean_FC_E", "mean_FC", "E", "1", "mean of FC"),
        MetricEntry("fitness", "fitness", "", "1", "correlation with the reference"),
        MetricEntry("mean_rate_E", "mean_rate", "E", "Hz", "rate of every region", regional=True),
    ),
    regions=REGIONS,
    seed=42,
    ranking=Ranking("fitness", 3),
)


def grid(n_g: int = 5, n_b: int = 4, last: float = 1.0) -> Points:
    return Points("grid", {"g": np.linspace(0, last, n_g), "b_e": np.linspace(0, 120, n_b)}, {}, "ratemlx run …", "now")


def open_store(folder: Path, points: Points | None = None, *, restart: bool = False, stamp: str = STAMP) -> RunStore:
    store = RunStore.open(
        folder, stamp, CATALOGUE, grid() if points is None else points, {"model": "adex"}, restart=restart
    )
    if restart:
        store.begin_anew()
    return store


def shard(instances: Int64s, *, series: bool = False) -> Shard:
    """What a batch of these instances gives: numbers made from theirs alone; each 7th diverges."""
    number = instances.astype(np.float64)
    diverged = instances % 7 == 6
    columns = np.stack([number / 10, np.sin(number)], axis=-1)
    columns[diverged] = np.nan
    best = instances[np.argsort(-np.sin(number))[:3]]
    return Shard(
        instances=instances,
        diverged_at=np.where(diverged, 1000 + instances, -1).astype(np.int32),
        column_names=("mean_FC_E", "fitness"),
        columns=columns,
        regional_names=("mean_rate_E",),
        regional=number[:, None, None] + np.arange(len(REGIONS))[:, None] / 10,
        arrays=tuple(
            StoredArray(item, "FC", "E", "3x3/2", np.full(6, item, dtype=np.float32)) for item in best.tolist()
        ),
        series=np.ones((len(instances), 1, 4, 3), dtype=np.float32) * number[:, None, None, None] if series else None,
    )


def compute(store: RunStore, batch: int = 3, *, series: bool = False) -> int:
    """Compute what is pending, batch by batch; gives the number of batches."""
    pending = store.pending()
    for start in range(0, len(pending), batch):
        store.keep(shard(pending[start : start + batch], series=series))
        store.ingest()
    return -(-len(pending) // batch)
