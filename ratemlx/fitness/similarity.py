"""How alike two matrices are, for many matrices and one they are compared with.

Entries come as vectors: (instance, entry) and (entry,). Array-API code, for NumPy's arrays and CuPy's. Knows nothing of
what the entries are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ratemlx.metrics.arrays import Array

Similarity = Callable[[Any, Array, Array], Array]


def pearson(xp: Any, many: Array, one: Array) -> Array:
    """Pearson's correlation (instance,); NaN where one of the two is constant."""
    a, b = _centred(many), _centred(one)
    norms = xp.sqrt((a * a).sum(axis=-1) * (b * b).sum())
    return _products(a, b) / xp.where(norms > 0, norms, xp.nan)


def spearman(xp: Any, many: Array, one: Array) -> Array:
    """Spearman's correlation of ranks (instance,), ties sharing the mean of their ranks."""
    return pearson(xp, _ranks(xp, many), _ranks(xp, one[None, :])[0])


def concordance(xp: Any, many: Array, one: Array) -> Array:
    """Lin's concordance (1989, Biometrics 45:255): below Pearson's where means or spreads differ."""
    a, b = _centred(many), _centred(one)
    apart = many.mean(axis=-1) - one.mean()
    norms = (a * a).mean(axis=-1) + (b * b).mean() + apart * apart
    return 2.0 * _products(a, b) / one.size / xp.where(norms > 0, norms, xp.nan)


SIMILARITIES: dict[str, Similarity] = {"pearson": pearson, "spearman": spearman, "concordance": concordance}
"""By the names that users write."""


def _products(many: Array, one: Array) -> Array:
    """Inner products (instance,), the same to the bit however many instances there are, as a matrix product is not."""
    return (many * one).sum(axis=-1)


def _centred(values: Array) -> Array:
    return values - values.mean(axis=-1, keepdims=True)


def _ranks(xp: Any, rows: Array) -> Array:
    """Ranks within each row: the mean of the ranks that equal values have together."""
    found = []
    for row in rows:
        known = xp.sort(row)
        below = xp.searchsorted(known, row, side="left")
        found.append(0.5 * (below + xp.searchsorted(known, row, side="right")))
    return xp.stack(found)
