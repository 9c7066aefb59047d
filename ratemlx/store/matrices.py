"""Arrays of single instances as the database has them: bytes, a type and a shape as text. Knows arrays only.

A symmetric matrix is kept as its upper triangle with the diagonal, row by row: shape "68x68/2".
"""

from __future__ import annotations

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray
from ratemlx.store.shard import StoredArray


def symmetric(instance: int, name: str, exposure: str, matrix: AnyArray) -> StoredArray:
    """A symmetric matrix of an instance, as a shard takes it."""
    size = len(matrix)
    return StoredArray(instance, name, exposure, f"{size}x{size}/2", matrix[np.triu_indices(size)])


def full(instance: int, name: str, exposure: str, values: AnyArray) -> StoredArray:
    """Any array of an instance, as a shard takes it."""
    return StoredArray(instance, name, exposure, "x".join(map(str, values.shape)), np.ravel(values))


def unpacked(shape: str, dtype: str, data: bytes) -> AnyArray:
    """The array of a row of the table `arrays`; a triangle comes back as its matrix. Raises ResultError."""
    try:
        values = np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).astype(dtype)
        size, half, _ = shape.partition("/2")
        sizes = tuple(int(part) for part in size.split("x") if part)
        if not half:
            return values.reshape(sizes)
        matrix = np.zeros(sizes, dtype=values.dtype)
        rows, columns = np.triu_indices(sizes[0])
        matrix[rows, columns] = values
        matrix[columns, rows] = values
    except (ValueError, TypeError, IndexError) as error:
        raise ResultError(f"an array of shape {shape!r} and type {dtype!r} cannot be read") from error
    return matrix
