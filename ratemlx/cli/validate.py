"""`ratemlx validate`: all that is to be said about model files, errors and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratemlx.cli.options import PluginOption

if TYPE_CHECKING:
    from ratemlx.errors import Diagnostic


def validate(
    files: Annotated[list[str], typer.Argument(metavar="MODEL...", help="XML files, or names of shipped models.")],
    plugin: PluginOption = None,
) -> None:
    """Check model files.

    Prints every error and warning with its place. Exit code 2 if there are errors.

    \b
    Examples:
      ratemlx validate my_model.xml
      ratemlx validate adex montbrio kuramoto
      ratemlx validate my_model.xml --plugin my_transfer_function.py
    """
    results = [_check(name, plugin or ()) for name in files]
    if not all(results):
        raise typer.Exit(2)


def _check(name: str, plugins: Sequence[Path]) -> bool:
    """Print the diagnostics of a file and a closing line; whether it can be used."""
    diagnostics = _diagnostics(name, plugins)
    for item in diagnostics:
        print(item.render())
    errors = sum(item.severity == "error" for item in diagnostics)
    warnings = len(diagnostics) - errors
    print(f"{name}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return not errors


def _diagnostics(name: str, plugins: Sequence[Path]) -> list[Diagnostic]:
    """What reading the file warns of, and what building the model from it finds."""
    from ratemlx.errors import ModelError
    from ratemlx.lems.parse import read_file
    from ratemlx.load import find_model, load

    found: list[Diagnostic] = []
    try:
        document = read_file(find_model(name)).document
        found += document.warnings if document else ()
        found += load(name, plugins).warnings
    except ModelError as error:
        found += error.diagnostics
    return _in_order(found)


def _in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each one once, by its place in the file."""
    return sorted(dict.fromkeys(diagnostics), key=lambda item: item.span.start if item.span else -1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)
