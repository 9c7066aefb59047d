"""What one finished batch gives to the store. Knows arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemlx.runtime.arrays import AnyArray, Floats, Int32s, Int64s


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array that belongs to one instance, such as its FC matrix; `shape` as text says how to read the values.

    A symmetric matrix is kept as its upper triangle with the diagonal, row by row: shape "68x68/2".
    """

    instance: int
    name: str
    exposure: str
    shape: str
    values: AnyArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Shard:
    """What a batch gave, one row per instance.

    `diverged_at` is a step, or -1. `columns` has shape (instance, column) for the names in `column_names`; `regional`
    (instance, region, column) for `regional_names`; `series` (instance, exposure, time, region). `arrays` belong to
    some instances only. What a run does not ask for is left out.
    """

    instances: Int64s
    diverged_at: Int32s
    column_names: tuple[str, ...] = ()
    columns: Floats | None = None
    regional_names: tuple[str, ...] = ()
    regional: AnyArray | None = None
    arrays: tuple[StoredArray, ...] = ()
    series: AnyArray | None = None
    rank: int = 0

    def __post_init__(self) -> None:
        count = len(self.instances)
        matrix = np.empty((count, 0)) if self.columns is None else self.columns
        shapes = [self.diverged_at.shape == (count,), matrix.shape == (count, len(self.column_names))]
        if self.regional is not None:
            shapes.append(self.regional.ndim == 3 and self.regional.shape[::2] == (count, len(self.regional_names)))
        if self.series is not None:
            shapes.append(self.series.ndim == 4 and len(self.series) == count)
        if not all(shapes) or not count:
            raise ValueError(f"a shard of {count} instances has arrays of other lengths")
