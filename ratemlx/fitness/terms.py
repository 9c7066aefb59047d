"""Terms of fitness that compare functional connectivity with another matrix, as metrics.

Knows recordings; a term holds the matrix that it compares with.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ratemlx.fitness.similarity import SIMILARITIES
from ratemlx.metrics import Metric, Output, Recording
from ratemlx.metrics.arrays import Array
from ratemlx.runtime.arrays import Bools, Floats, Int64s


def compared_entries(n_regions: int, *, diagonal: bool) -> Bools:
    """Which entries of a matrix are compared: both triangles, for weights need not be symmetric."""
    return np.ones((n_regions, n_regions), dtype=bool) if diagonal else ~np.eye(n_regions, dtype=bool)


def matrix_term(
    name: str, description: str, similarity: str, regions: Int64s, entries: Bools, target: Floats
) -> Metric:
    """Similarity of functional connectivity with `target`, whose rows are the connectome's `regions`.

    Only the `entries` of the target are compared. Undefined where fewer than two regions fluctuate.
    """
    first, second = np.nonzero(entries)
    wanted = target[first, second]
    rows, columns = regions[first], regions[second]
    compare = SIMILARITIES[similarity]

    def body(recording: Recording) -> Mapping[str, Array]:
        xp = recording.xp
        # Where entries lie decides in which order they are added up: side by side for each instance, in any number.
        found = xp.ascontiguousarray(recording.fc[:, xp.asarray(rows), xp.asarray(columns)])
        values = compare(xp, found, recording.to_device(wanted))
        return {name: xp.where(recording.fc_defined, values, xp.nan)}

    return Metric(name, body, (Output(name, "1", description),), needs="fc", description=description)
