"""What a run leaves behind: shards that each process writes by itself, and one SQLite database made from them.

Knows files and arrays; nothing of kernels, devices or message passing. Shards are the truth: the database can be built
again from them and from run.json at any time. Names are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ratemlx.store.catalogue import Catalogue, MetricEntry, ParameterEntry, Ranking
    from ratemlx.store.database import rebuild
    from ratemlx.store.gridded import results_table
    from ratemlx.store.points import Points, Registration, Registry
    from ratemlx.store.reading import open_database
    from ratemlx.store.run_store import RunStore, ShardWriter
    from ratemlx.store.shards import Shard, StoredArray

__all__ = [
    "Catalogue",
    "MetricEntry",
    "ParameterEntry",
    "Points",
    "Ranking",
    "Registration",
    "Registry",
    "RunStore",
    "Shard",
    "ShardWriter",
    "StoredArray",
    "open_database",
    "rebuild",
    "results_table",
]

_MODULES = {
    "Catalogue": "catalogue",
    "MetricEntry": "catalogue",
    "ParameterEntry": "catalogue",
    "Points": "points",
    "Ranking": "catalogue",
    "Registration": "points",
    "Registry": "points",
    "RunStore": "run_store",
    "Shard": "shards",
    "ShardWriter": "run_store",
    "StoredArray": "shards",
    "open_database": "reading",
    "rebuild": "database",
    "results_table": "gridded",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
