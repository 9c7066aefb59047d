"""`ratemlx report`: one page about a run, to be looked at in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that a run wrote with -o.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The page; RUN/report.html if left out.")
    ] = None,
) -> None:
    """Write a page about a run: maps of metrics, traces, best fits, distributions, provenance.

    The page is one HTML file that needs no network and no server. It shows what the run holds and says what is missing.

    \b
    Examples:
      ratemlx report first_sweep
      ratemlx report first_sweep -o sweep.html
    """
    from ratemlx.report import write_report

    print(write_report(run, output))
