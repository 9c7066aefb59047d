"""`ratemlx query`: ask a run's database in SQL, or see what is in it."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from ratemlx.store.query import Answer, Row

Format = Literal["table", "csv", "json", "markdown"]
ROWS_SHOWN = 200
CELL_WIDTH = 80


def query(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that a run was told with -o.")],
    sql: Annotated[
        str | None, typer.Argument(metavar="[SQL]", help="One SELECT; without it, tables and columns are listed.")
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="table, csv, json or markdown.", show_default=True)
    ] = "table",
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help=f"Rows at most, 0 for all; {ROWS_SHOWN} of tables, all of csv and json.", min=0),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Give up after this time; without it, Ctrl-C does.", min=0)
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="First make the database anew from the run's shards.")
    ] = False,
) -> None:
    """Ask a run's results in SQL.

    The database can be read while the run goes on, and nothing can be changed by a query. Without SQL, its tables and
    columns are listed with their units.

    \b
    Examples:
      ratemlx query results
      ratemlx query results "SELECT global_coupling, b_e, mean_FC_E FROM instances ORDER BY fitness DESC LIMIT 10"
      ratemlx query results "SELECT status, count(*) AS n FROM instances GROUP BY status"
      ratemlx query results "SELECT * FROM instances WHERE b_e BETWEEN 20 AND 40" --format csv > some.csv
    """
    from ratemlx.store.query import asking

    if rebuild:
        _rebuild(run)
    if sql is None:
        _list(run)
        return
    most = limit if limit is not None else ROWS_SHOWN if format in ("table", "markdown") else 0
    with asking(run, sql, seconds) as answer:
        rows = answer.rows if most == 0 else islice(answer.rows, most)
        _PRINTERS[format](answer, rows)
        if most and next(answer.rows, None) is not None:
            print(f"first {most:,} rows; --limit 0 gives all", file=sys.stderr)


def _rebuild(run: Path) -> None:
    from ratemlx.runtime.merging import remake

    made = remake(run)
    for warning in (*made.warnings, *made.missing):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{made.n_finished:,} of {made.n_points:,} instances from shards", file=sys.stderr)


def _list(run: Path) -> None:
    from ratemlx.errors import visible
    from ratemlx.store.overview import overview

    found = overview(run)
    if found.model:
        print(f"model: {visible(found.model)}\n")
    _print_aligned(("table", "rows", "what"), [(item.name, item.rows, item.meaning) for item in found.tables])
    print()
    _print_aligned(
        ("table", "column", "unit", "description"),
        [(item.table, item.name, item.unit, item.description) for item in found.columns],
    )


def _print_table(answer: Answer, rows: Iterable[Row]) -> None:
    _print_aligned(answer.headers, list(rows))


def _print_aligned(headers: Sequence[str], rows: Sequence[Row]) -> None:
    """One line per row, numbers to the right; what is long is cut, for it would push all other columns away."""
    cells = [[_cut(_cell(value)) for value in row] for row in (headers, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [
        bool(rows) and all(isinstance(row[place], int | float | None) for row in rows) for place in range(len(headers))
    ]
    for line in cells:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(padded).rstrip())


def _cut(cell: str) -> str:
    return cell if len(cell) <= CELL_WIDTH else cell[: CELL_WIDTH - 1] + "…"


def _print_markdown(answer: Answer, rows: Iterable[Row]) -> None:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    print(line(answer.headers))
    print(line("---" for _ in answer.headers))
    for row in rows:
        print(line(map(_cell, row)))


def _print_csv(answer: Answer, rows: Iterable[Row]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.headers)
    writer.writerows(map(_plain, row) for row in rows)


def _print_json(answer: Answer, rows: Iterable[Row]) -> None:
    names = list(_distinct(answer.headers))
    start = "["
    for row in rows:
        plain = map(_plain, row)
        print(start, json.dumps(dict(zip(names, plain, strict=True)), ensure_ascii=False), sep="\n", end="")
        start = ","
    print("[]" if start == "[" else "\n]")


def _plain(value: Any) -> Any:
    """A value that CSV and JSON have: bytes as hexadecimal digits, no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.hex() if isinstance(value, bytes) else value


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """Names with a number where one is there already: an object in JSON has each once."""
    seen: set[str] = set()
    for name in names:
        chosen, count = name, 1
        while chosen in seen:
            count += 1
            chosen = f"{name}_{count}"
        seen.add(chosen)
        yield chosen


def _cell(value: Any) -> str:
    """A value for people: six digits, no blobs."""
    from ratemlx.errors import visible
    from ratemlx.runtime.arrays import bytes_text

    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes):
        return f"({bytes_text(len(value))})"
    return visible(str(value))


_PRINTERS = {"table": _print_table, "csv": _print_csv, "json": _print_json, "markdown": _print_markdown}
