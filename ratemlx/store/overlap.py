"""Instances that are in more than one place: in the folder that a part will be merged into, or in several shards.

Knows shards and numbers; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Bools
from ratemlx.store.shard_format import read_instances
from ratemlx.store.shards import ShardHead, read_shard, shard_files


def held_by(folder: Path, stamp: str, wanted: Bools) -> Bools:
    """Which of the instances that are `wanted`, by number, are in whole shards of a folder that others may write to.

    Only shards that hold some of them are read through: each of many parts asks the same folder. What is damaged, of
    another run, or gone by the time it is read does not count.
    """
    found = np.zeros(len(wanted), dtype=bool)
    for path in shard_files(folder):
        try:
            numbers = read_instances(path, stamp)
            numbers = numbers[(numbers >= 0) & (numbers < len(wanted))]
            if wanted[numbers].any():
                read_shard(path, stamp, series=False)  # which raises unless it is whole
                found[numbers] = True
        except (ResultError, IndexError, MemoryError):
            continue
    return found & wanted


def covered(heads: Sequence[ShardHead], count: int) -> list[ShardHead]:
    """Shards that can go, for each of their instances is in another that stays; the smallest first."""
    times = np.zeros(count, dtype=np.int32)
    for head in heads:
        times[head.instances] += 1
    found = []
    for head in sorted(heads, key=lambda head: (len(head.instances), head.path.name)):
        if (times[head.instances] > 1).all():
            times[head.instances] -= 1
            found.append(head)
    return found
