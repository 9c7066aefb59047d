"""The table of commands. Knows their names and order, nothing of what they do."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ratemlx.cli.bench import bench
from ratemlx.cli.compare import compare
from ratemlx.cli.convert import convert
from ratemlx.cli.describe import describe
from ratemlx.cli.doctor import doctor
from ratemlx.cli.export import export
from ratemlx.cli.generate import generate
from ratemlx.cli.inspect import inspect
from ratemlx.cli.merge import merge
from ratemlx.cli.models import models
from ratemlx.cli.new import new
from ratemlx.cli.plan import plan
from ratemlx.cli.plot import plot
from ratemlx.cli.query import query
from ratemlx.cli.report import report
from ratemlx.cli.run import run
from ratemlx.cli.slurm import slurm
from ratemlx.cli.validate import validate

COMMANDS = (
    *(models, new, validate, convert, describe, inspect, generate),
    *(run, merge, query, export, report, plot, slurm, plan, bench, compare, doctor),
)

PASSING_ON = (slurm,)
"""Commands that hand options on that they do not know, to `run`."""


def build_app() -> typer.Typer:
    """The application; help and errors are framed on a terminal and plain lines elsewhere."""
    on_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    app = typer.Typer(
        rich_markup_mode="rich" if on_terminal else None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
    )
    app.callback()(_ratemlx)
    for command in COMMANDS:
        app.command(command.__name__, context_settings={"ignore_unknown_options": command in PASSING_ON})(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        print(f"ratemlx {metadata.version('ratemlx')}")
        raise typer.Exit


def _ratemlx(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """From a mean-field model in XML to CUDA and CPU kernels that sweep whole-brain networks.

    \b
    Examples:
      ratemlx models
      ratemlx new my_model
      ratemlx validate my_model.xml
      ratemlx generate adex --target cuda
      ratemlx run adex --sweep global_coupling=0:0.8:4 --duration 2000 -o results
      ratemlx doctor
    """
