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
SEED = 4
"""Of most seeds."""
PAGE_FILL = 0.98
"""Part of a page that rows fill when they arrive in order."""
INDEX_FILL = 0.9
"""The same of the index; a file of 100,000 rows with keys in random order showed 0.92."""


@dataclass(frozen=True)
class DatabaseColumns:
    """What the database has for an instance, besides its number, seed, status and step of divergence.

    `varied` parameters are in the index that keeps points unique; `regional` metrics have a row for each of `regions`;
    `ranked` tells whether an index finds the best.
    """

    parameters: int
    metrics: int
    varied: int
    regional: int = 0
    regions: int = 0
    ranked: bool = False

    def row_bytes(self, instances: int) -> float:
        """Bytes of one instance of so many, indices and rows of regions included."""
        number = _integer_bytes(instances)
        header = 1 + self.parameters + self.metrics + 4
        values = REAL * (self.parameters + self.metrics) + SEED + STATUS
        table = CELL + _varint_bytes(instances) + header + values
        index = CELL + 1 + self.varied + 2 + REAL * self.varied + SEED + number
        ranking = CELL + 3 + REAL + number if self.ranked else 0
        return table / PAGE_FILL + (index + ranking) / INDEX_FILL + self._regional_bytes(number) / PAGE_FILL

    def bytes(self, instances: int) -> float:
        """Bytes of all of them."""
        return instances * self.row_bytes(instances)

    def _regional_bytes(self, number: int) -> float:
        if not self.regional:
            return 0.0
        return self.regions * (CELL + 3 + self.regional + number + 1 + REAL * self.regional)


def _integer_bytes(largest: int) -> int:
    """Bytes of an integer in a record."""
    return next(size for size in (1, 2, 3, 4, 6, 8) if largest < 2 ** (8 * size - 1) or size == 8)


def _varint_bytes(largest: int) -> int:
    """Bytes of a row's number."""
    return max(1, -(-largest.bit_length() // 7))
