"""How large the database of a sweep becomes, by SQLite's own file format; nothing is written.

A record has a varint per column that tells its type, and the value: 8 bytes of a REAL, the bytes of a text, the fewest
bytes of an integer (sqlite.org/fileformat2.html, "Record Format"). The index that keeps points unique repeats the
parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

REAL = 8
CELL = 4
"""Length of a payload (2 bytes) and the cell's place in its page (2)."""
STATUS = len("ok")
PAGE_FILL = 0.98
"""Part of a page that rows fill when they arrive in order."""
INDEX_FILL = 0.9
"""The same of the index; a file of 100,000 rows with keys in random order showed 0.92."""


@dataclass(frozen=True)
class DatabaseColumns:
    """What a row of `instances` has, besides its number, seed, status and step of divergence."""

    parameters: int
    metrics: int

    def row_bytes(self, instances: int) -> float:
        """Bytes of one instance in the table and in the index over its parameters and seed."""
        number = _integer_bytes(instances)
        header = 1 + self.parameters + self.metrics + 4
        values = REAL * (self.parameters + self.metrics) + _integer_bytes(2**31) + STATUS
        table = CELL + _varint_bytes(instances) + header + values
        index = CELL + 1 + self.parameters + 2 + REAL * self.parameters + _integer_bytes(2**31) + number
        return table / PAGE_FILL + index / INDEX_FILL

    def bytes(self, instances: int) -> float:
        """Bytes of all of them."""
        return instances * self.row_bytes(instances)


def _integer_bytes(largest: int) -> int:
    """Bytes of an integer in a record."""
    return next(size for size in (1, 2, 3, 4, 6, 8) if largest < 2 ** (8 * size - 1) or size == 8)


def _varint_bytes(largest: int) -> int:
    """Bytes of a row's number."""
    return max(1, -(-largest.bit_length() // 7))
