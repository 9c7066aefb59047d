"""Arrays of single instances as the database has them: bytes, a type and a shape as text. Knows arrays only.

A symmetric matrix is kept as its upper triangle with the diagonal, row by row: shape "68x68/2".
"""

from __future__ import annotations

import math

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray
from ratemlx.store.shard import StoredArray

FC_NAME = "FC"
SERIES_NAME = "series"
BOLD_SUFFIX = "_BOLD"
"""Ends the name of an exposure whose BOLD signal an array is, or is made of."""


def symmetric(instance: int, name: str, exposure: str, matrix: AnyArray) -> StoredArray:
    """A symmetric matrix of an instance, as a shard takes it."""
    size = len(matrix)
    return StoredArray(instance, name, exposure, f"{size}x{size}/2", matrix[np.triu_indices(size)])


def full(instance: int, name: str, exposure: str, values: AnyArray) -> StoredArray:
    """Any array of an instance, as a shard takes it."""
    return StoredArray(instance, name, exposure, "x".join(map(str, values.shape)), np.ravel(values))


def unpacked(shape: str, dtype: str, data: bytes) -> AnyArray:
    """The array of a row of the table `arrays`; a triangle comes back as its matrix. Raises ResultError.

    What it claims to be is checked before memory is taken for it: a database may come from somebody else.
    """
    try:
        sizes, half = _sizes(shape)
        kind = np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise ResultError(f"the database holds an array of shape {shape} and type {dtype}") from error
    items = sizes[0] * (sizes[0] + 1) // 2 if half else math.prod(sizes)
    if kind.kind not in "fiu" or min(sizes) < 1 or len(data) != items * kind.itemsize:
        raise ResultError(f"the database holds {len(data):,} bytes as an array of shape {shape} and type {dtype}")
    return whole(shape, np.frombuffer(data, kind.newbyteorder("<")).astype(kind))


def whole(shape: str, values: AnyArray) -> AnyArray:
    """An array of a shard in its shape; a triangle comes back as its matrix."""
    sizes, half = _sizes(shape)
    if not half:
        return values.reshape(sizes)
    matrix = np.zeros(sizes, dtype=values.dtype)
    rows, columns = np.triu_indices(sizes[0])
    matrix[rows, columns] = values
    matrix[columns, rows] = values
    return matrix


def _sizes(shape: str) -> tuple[tuple[int, ...], bool]:
    """Sizes along the axes, and whether half of a square matrix is kept; raises ValueError."""
    text, half, _ = shape.partition("/2")
    sizes = tuple(int(part) for part in text.split("x"))
    if half and (len(sizes) != 2 or sizes[0] != sizes[1]):
        raise ValueError(f"{shape} is not square")
    return sizes, bool(half)
