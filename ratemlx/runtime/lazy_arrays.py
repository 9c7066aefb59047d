"""Arrays of large results that are read, or made, when somebody asks for them, and as much as is asked for.

What has been asked for whole stays in memory. Knows xarray, which takes half a second: import it late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from ratemlx.runtime.arrays import AnyArray, Int64s

Read = Callable[[Int64s], AnyArray]
"""Gives the rows at some places."""


class _Rows(BackendArray):
    """An array whose rows come from a function."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], read: Read) -> None:
        self.shape, self.dtype, self._read = shape, dtype, read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> AnyArray:
        found: AnyArray = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._chosen
        )
        return found

    def _chosen(self, key: tuple[Any, ...]) -> AnyArray:
        """`key` has a number, a slice, or an array of places for every dimension, each by itself."""
        rows, *others = key
        places = np.arange(*rows.indices(self.shape[0])) if isinstance(rows, slice) else np.atleast_1d(rows)
        found = self._read(places)
        for axis, one in enumerate(others, 1):
            found = found[(slice(None),) * axis + (one if np.ndim(one) or isinstance(one, slice) else [one],)]
        single = tuple(0 if isinstance(one, int | np.integer) else slice(None) for one in key)
        return found[single]


def lazy_array(shape: tuple[int, ...], dtype: np.dtype[Any], read: Read) -> Any:
    """What xarray takes for an array of this shape, whose rows `read` gives for their places."""
    rows: Any = indexing.LazilyIndexedArray(_Rows(shape, dtype, read))
    cached: Any = indexing.MemoryCachedArray  # which says nothing of its types
    return cached(indexing.CopyOnWriteArray(rows))
