"""Matrices of numbers from text: whitespace, commas or semicolons, an optional first line of column names.

Knows nothing of what the numbers mean; every fault is told with its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ratemlx.errors import RatemlxError
from ratemlx.runtime.arrays import Floats

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, eq=False)
class TextMatrix:
    """Numbers of shape (row, column), and the column names where the text begins with them."""

    values: Floats
    columns: tuple[str, ...]


def parse_matrix(text: str, name: str, error: type[RatemlxError], max_columns: int) -> TextMatrix:
    """Read a matrix; raises `error` for what is no number, for ragged rows and for more than `max_columns`."""
    rows: list[list[float]] = []
    columns: tuple[str, ...] = ()
    width = 0
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        cells = _cells(content, max_columns + 1)
        width = width or len(cells)
        if width > max_columns:
            raise error(f"{name}, line {number}: more than {max_columns:,} columns")
        if len(cells) != width:
            raise error(f"{name}, line {number}: {len(cells)} columns where {width} are expected")
        if not rows and not columns and not any(NUMBER.fullmatch(cell) for cell in cells):
            columns = tuple(cell.strip("\"'") for cell in cells)
            continue
        rows.append(_numbers(cells, f"{name}, line {number}", error))
    return TextMatrix(np.array(rows, dtype=np.float64).reshape(len(rows), width), columns)


def _cells(content: str, limit: int) -> list[str]:
    for delimiter in (",", ";"):
        if delimiter in content:
            return [cell.strip() for cell in content.split(delimiter, limit)]
    return content.split(None, limit)


def _numbers(cells: list[str], place: str, error: type[RatemlxError]) -> list[float]:
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        numbers = []
    # float() also takes 1_000 for a number.
    if not numbers or any("_" in cell for cell in cells):
        bad = next(cell for cell in cells if not NUMBER.fullmatch(cell))
        raise error(f"{place}: {bad[:40]!r} is not a number")
    return numbers
