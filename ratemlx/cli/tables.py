"""Tables: framed by rich on a terminal, plain aligned columns elsewhere. Knows text only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap

CELL_WIDTH = 48


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under headers to standard output."""
    if sys.stdout.isatty():
        _print_framed(headers, rows)
    else:
        print(plain_table(headers, rows))


def plain_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns padded to their widest cell; long cells go on in the lines below."""
    lines = [line for row in (headers, *rows) for line in _wrapped(row)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _wrapped(row: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip_longest(*(wrap(cell, CELL_WIDTH, break_long_words=False) or [""] for cell in row), fillvalue=""))


def _print_framed(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headers)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
