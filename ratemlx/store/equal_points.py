"""Which points of many sweeps are equal in all parameters, bit for bit, for tens of millions of points at a time.

Each point has a 64-bit sum of mixed values, one term per parameter. A grid's sums are made axis by axis, so that no
table of its points is ever made. Equal sums are candidates; whether points are equal is told by their values. Knows
sweeps only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ratemlx.runtime.arrays import Bools, Floats, Int64s

if TYPE_CHECKING:
    from ratemlx.store.points import Points

Sums: TypeAlias = NDArray[np.uint64]

FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""Of splitmix64's finaliser (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators")."""


def first_equal(sweeps: Sequence[Points]) -> Int64s:
    """For every point of all sweeps, counted through, the smallest number of a point that equals it."""
    numbers = np.arange(sum(item.count for item in sweeps), dtype=np.int64)
    if len(sweeps) == 1 and _is_a_set(sweeps[0]):
        return numbers
    sums = np.concatenate([_sums(item) for item in sweeps]) if sweeps else np.empty(0, dtype=np.uint64)
    order = np.argsort(sums)
    ordered = sums[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(sums) else order
    lengths = np.diff(np.append(starts, len(order)))
    first = np.minimum.reduceat(order, starts) if len(starts) else order
    repeated = np.repeat(lengths > 1, lengths)
    candidates = order[repeated]
    target = np.repeat(first, lengths)[repeated]
    equal = _equal(sweeps, candidates, target)
    numbers[candidates[equal]] = target[equal]
    if not equal.all():
        _settle(sweeps, candidates[~equal], numbers)
    return numbers


def _is_a_set(points: Points) -> bool:
    """Whether a sweep cannot repeat a point: a grid whose axes have no value twice."""
    return points.kind == "grid" and all(len(np.unique(values)) == len(values) for values in points.axes.values())


def _sums(points: Points) -> Sums:
    """The sum of every point of a sweep; the order of parameters does not matter."""
    with np.errstate(over="ignore"):
        fixed = [_mixed(name, np.array([value])) for name, value in points.fixed.items()]
        total: Sums = np.zeros((1,) * len(points.shape) or (1,), dtype=np.uint64)
        for term in fixed:
            total = total + term.reshape(total.shape)
        for position, (name, values) in enumerate(points.axes.items()):
            term = _mixed(name, values)
            if points.kind == "grid":
                term = term.reshape([-1 if axis == position else 1 for axis in range(len(points.shape))])
            total = total + term
    return total.reshape(-1)


def _mixed(name: str, values: Floats) -> Sums:
    """Well-mixed words of a parameter's values."""
    salt = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=8).digest(), dtype="<u8")
    words: Sums = np.ascontiguousarray(values).view(np.uint64) + salt
    words = (words ^ (words >> np.uint64(30))) * FIRST_FACTOR
    words = (words ^ (words >> np.uint64(27))) * SECOND_FACTOR
    mixed: Sums = words ^ (words >> np.uint64(31))
    return mixed


def _equal(sweeps: Sequence[Points], left: Int64s, right: Int64s) -> Bools:
    """Whether points are equal, pair by pair, by their values."""
    from ratemlx.store.points import Registry

    registry = Registry(tuple(sweeps))
    equal = np.ones(len(left), dtype=bool)
    for start in range(0, len(left), PIECE):
        piece = slice(start, start + PIECE)
        before, after = registry.columns(left[piece]), registry.columns(right[piece])
        for name, values in before.items():
            equal[piece] &= values == after[name]
    return equal


PIECE = 1 << 18
"""Pairs compared at a time: all their values are in memory."""


def _settle(sweeps: Sequence[Points], candidates: Int64s, numbers: Int64s) -> None:
    """Points whose sum is that of another point by chance, or by malice: compared one by one with a dictionary."""
    from ratemlx.store.points import Registry

    registry = Registry(tuple(sweeps))
    seen: dict[bytes, int] = {}
    for number in np.sort(candidates).tolist():
        columns = registry.columns(np.array([number]))
        key = np.concatenate([columns[name] for name in registry.parameters]).tobytes()
        numbers[number] = seen.setdefault(key, number)
