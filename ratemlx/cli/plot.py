"""`ratemlx plot`: a static figure of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that a run wrote with -o.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A .png, .svg or .pdf file.")],
    kind: Annotated[str, typer.Option(metavar="NAME", help="heatmap, traces, fc or distribution.")] = "heatmap",
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Metric to draw; the fitness or the first if left out. Repeatable for distribution."
        ),
    ] = None,
    x: Annotated[str | None, typer.Option("--x", metavar="NAME", help="Parameter across.")] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="NAME", help="Parameter along the other axis.")] = None,
    facet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parameter with a panel for each of its values.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Value of a parameter on no axis; its default if left out. Repeatable."
        ),
    ] = None,
    instance: Annotated[
        int | None, typer.Option(metavar="N", help="Whose matrices to draw; the best if left out.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Logarithmic colours.")] = False,
) -> None:
    """Draw a figure of a run.

    heatmap shows a metric over two parameters, with a panel for each value of a third, or as a curve over one; traces
    shows time series over two parameters; fc shows connectivity matrices beside the reference; distribution shows the
    metrics that are named, or eight.

    \b
    Examples:
      ratemlx plot explored --metric mean_FC_E -o map.png
      ratemlx plot first_sweep --kind traces --x global_coupling --y b_e -o traces.pdf
    """
    from ratemlx.report import Request, write_figure
    from ratemlx.report.select import parse_at

    request = Request(tuple(metric or ()), x, y, facet, parse_at(at or []), instance, log)
    write_figure(run, kind, output, request)
    print(output)
