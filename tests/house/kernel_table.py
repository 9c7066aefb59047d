"""The table of what CUDA kernels take, as a text file, and the comparison with it. Compiles nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

TABLE = Path(__file__).with_name("cuda_kernels.txt")
GRANULE = 8
"""Registers are given to threads in such portions: fewer of them make no difference."""
MORE_INSTRUCTIONS = 1.05
REMEDY = "RATEMLX_UPDATE=1 python -m tests.house.compile_cuda"
HEAD = "nvcc {}; instructions: in the kernel, of a step (noise by its share), of an edge for a whole block of steps\n"


@dataclass(frozen=True)
class Row:
    """One variant of a kernel; instructions are None where they could not be counted."""

    model: str
    arch: str
    precision: str
    form: str
    registers: int
    spilled: int
    shared: int
    kernel: int | None
    step: int | None
    edge: int | None

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What it is a row of."""
        return self.model, self.arch, self.precision, self.form


NUMBERS = tuple(field.name for field in fields(Row))[4:]


def written_table(rows: Sequence[Row], version: str) -> str:
    """The table as text, in columns."""
    cells = [[field.name for field in fields(Row)], *([_cell(value) for value in astuple(row)] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return HEAD.format(version) + "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def read_table(text: str) -> tuple[str, list[Row]]:
    """The compiler's version, and the rows, of a table."""
    head, _, *lines = text.splitlines()
    rows = []
    for line in lines:
        words = line.split()
        numbers = [None if word == "-" else int(word) for word in words[4:]]
        rows.append(Row(*words[:4], *numbers))  # type: ignore[arg-type]
    return head.removeprefix("nvcc ").partition(";")[0], rows


def compared(found: Sequence[Row], version: str, known_version: str, known: Sequence[Row]) -> list[str]:
    """What is worse than the table says: spills always; the rest where the compiler is the same."""
    complaints = [f"{' '.join(row.name)} spills {row.spilled} bytes of registers" for row in found if row.spilled]
    table = {row.name: row for row in known}
    if {row.name for row in found} != set(table):
        complaints.append(f"cuda_kernels.txt has other kernels than there are: {REMEDY}")
    if version == known_version:
        for row in found:
            if row.name in table:
                complaints += [f"{' '.join(row.name)} {text}" for text in _growth(row, table[row.name])]
    return complaints


def _growth(row: Row, known: Row) -> Iterator[str]:
    if -(-row.registers // GRANULE) > -(-known.registers // GRANULE):
        yield f"takes {row.registers} registers; {known.registers} are known ({REMEDY})"
    if row.shared > known.shared:
        yield f"takes {row.shared} bytes of shared memory; {known.shared} are known ({REMEDY})"
    for name in ("kernel", "step", "edge"):
        now, before = getattr(row, name), getattr(known, name)
        if now is not None and before is not None and now > MORE_INSTRUCTIONS * before:
            yield f"has {now} instructions ({name}); {before} are known ({REMEDY})"
