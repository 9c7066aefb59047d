"""Matrices of numbers from text: whitespace, commas or semicolons, an optional first line of column names.

Knows nothing of what the numbers mean; every fault is told with its line.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ratemlx.errors import RatemlxError
from ratemlx.runtime.arrays import Floats

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|(?<=[^\r\n])\Z)")


@dataclass(frozen=True, eq=False)
class TextMatrix:
    """Numbers of shape (row, column), and the column names where the text begins with them."""

    values: Floats
    columns: tuple[str, ...]


def line_of_row(text: str, row: int) -> int:
    """The line on which a row of a matrix stands, counted from 1; row 0 is the first with any content."""
    return next(islice((number for number, _ in _lines(text)), row, None))


def parse_matrix(
    text: str, name: str, error: type[RatemlxError], max_columns: int, *, square: bool = False
) -> TextMatrix:
    """Read a matrix; raises `error` for what is no number, for ragged rows and for more than `max_columns`.

    With `square`, a text of more rows than columns is refused before its numbers are read.
    """
    if square:
        _check_not_tall(text, name, error, max_columns)
    numbers = array("d")
    columns: tuple[str, ...] = ()
    width = 0
    for number, content in _lines(text):
        cells = _cells(content, max_columns + 1)
        width = width or len(cells)
        if width > max_columns:
            raise error(f"{name}, line {number}: more than {max_columns:,} columns")
        if len(cells) != width:
            raise error(f"{name}, line {number}: {len(cells)} columns where {width} are expected")
        if not numbers and not columns and not any(NUMBER.fullmatch(cell) for cell in cells):
            columns = tuple(cell.strip("\"'") for cell in cells)
            continue
        numbers.extend(_numbers(cells, f"{name}, line {number}", error))
    rows = len(numbers) // width if width else 0
    return TextMatrix(np.array(numbers, dtype=np.float64).reshape(rows, width), columns)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are neither empty nor comments, with their numbers; one at a time, for a text may have millions."""
    for number, match in enumerate(LINE.finditer(text), start=1):
        content = match.group().partition("#")[0].strip()
        if content:
            yield number, content


def _check_not_tall(text: str, name: str, error: type[RatemlxError], max_columns: int) -> None:
    """Refuse more rows than columns, a line of names not counted; no number is read, and no line beyond the first."""
    lines = _lines(text)
    first = next(lines, None)
    if first is None:
        return
    cells = _cells(first[1], max_columns + 1)
    rows = sum(1 for _ in islice(lines, len(cells) + 1)) + any(NUMBER.fullmatch(cell) for cell in cells)
    if rows > len(cells):
        raise error(f"{name} has more rows than its {len(cells):,} columns, and must be square")


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
    if not numbers or "_" in "".join(cells):
        bad = next(cell for cell in cells if not NUMBER.fullmatch(cell))
        raise error(f"{place}: {bad[:40]!r} is not a number")
    return numbers
