"""`ratemlx export`: a run's results for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that a run was told with -o.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: .csv, .parquet or .nc.")],
    where: Annotated[str, typer.Option(metavar="SQL", help="Condition over the instances to export.")] = "",
    table: Annotated[
        str, typer.Option(metavar="NAME", help="instances or regional, for .csv and .parquet; best, for .nc.")
    ] = "instances",
    sweep: Annotated[
        int | None, typer.Option(metavar="N", help="One sweep of a run that was enlarged, counted from 0.", min=0)
    ] = None,
) -> None:
    """Write a run's results to a file.

    .csv and .parquet have one row per instance, or per instance and region. .nc has the latest sweep as arrays over
    its axes, with units; xarray opens it. With --table best it has the fittest instances, best first, with their
    parameters, fitness, functional connectivity and, if they were kept, time series.

    \b
    Examples:
      ratemlx export results results.csv
      ratemlx export results best.parquet --where "fitness > 0.4"
      ratemlx export results regions.csv --table regional
      ratemlx export results grid.nc
      ratemlx export results best.nc --table best
    """
    from ratemlx.store.export import export as write

    if table == "best":
        from ratemlx.runtime.open_folder import export_best

        export_best(run, file)
        print(f"written: {file}")
        return
    write(run, file, table=table, where=where, sweep=sweep)
    print(f"written: {file}")
