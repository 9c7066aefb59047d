"""Statistics that SQLite lacks, for queries: stdev, median and corr. Knows numbers only; NULL is left out."""

from __future__ import annotations

import math
import sqlite3
import statistics
from typing import Any


class StandardDeviation:
    """Of a sample (n - 1), by Welford's updates (Technometrics 4:419, 1962), which do not cancel; NULL below two."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def step(self, value: float | None) -> None:
        """Take a row."""
        if value is not None:
            self._count += 1
            difference = value - self._mean
            self._mean += difference / self._count
            self._squares += difference * (value - self._mean)

    def finalize(self) -> float | None:
        """The answer."""
        return math.sqrt(self._squares / (self._count - 1)) if self._count > 1 else None


class Median:
    """The middle value, or the mean of the two in the middle; NULL of nothing."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value: float | None) -> None:
        """Take a row."""
        if value is not None:
            self._values.append(value + 0.0)

    def finalize(self) -> float | None:
        """The answer."""
        return statistics.median(self._values) if self._values else None


class Correlation:
    """Pearson's, of rows that have both values; NULL where one does not vary."""

    def __init__(self) -> None:
        self._count = 0
        self._means, self._squares, self._product = [0.0, 0.0], [0.0, 0.0], 0.0

    def step(self, first: float | None, second: float | None) -> None:
        """Take a row."""
        if first is None or second is None:
            return
        self._count += 1
        before = first - self._means[0], second - self._means[1]
        self._means = [mean + change / self._count for mean, change in zip(self._means, before, strict=True)]
        after = first - self._means[0], second - self._means[1]
        self._squares = [total + a * b for total, a, b in zip(self._squares, before, after, strict=True)]
        self._product += before[0] * after[1]

    def finalize(self) -> float | None:
        """The answer."""
        scale = math.sqrt(self._squares[0] * self._squares[1])
        return self._product / scale if scale > 0 else None


def add_functions(connection: sqlite3.Connection) -> None:
    """Let queries over a connection use these functions."""
    kinds: dict[str, tuple[int, Any]] = {
        "stdev": (1, StandardDeviation),
        "median": (1, Median),
        "corr": (2, Correlation),
    }
    for name, (arguments, kind) in kinds.items():
        connection.create_aggregate(name, arguments, kind)
