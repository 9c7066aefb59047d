"""`ratemlx merge`: put the parts of a sweep together, or make a run's database again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def merge(run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, as given to -o.")]) -> None:
    """Put the parts of a sweep together (`ratemlx run --part I/N`), or make a run's database again from its shards.

    Can be given at any time, also when some parts are missing: those that come later are merged by the same command.

    \b
    Examples:
      ratemlx merge results
    """
    from ratemlx.runtime.ending import telling_what_is_kept
    from ratemlx.runtime.merging import merge as merge_parts

    with telling_what_is_kept(lambda: run):
        merged = merge_parts(run)
    for warning in merged.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{run}: {merged.n_finished:,} of {merged.n_points:,} instances")
    for line in merged.missing:
        print(line)
    if not merged.complete:
        print("not complete; finish what is missing, and merge again if that is in parts")
