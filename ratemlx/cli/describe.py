"""`ratemlx describe`: a page about a model, with its equations, tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ratemlx.cli.options import ModelArgument, PluginOption


def describe(
    model: ModelArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder for MODEL.md and its figures; printed if left out."),
    ] = None,
    figures: Annotated[bool, typer.Option(help="Run the model for a moment and draw figures; only with -o.")] = True,
    plugin: PluginOption = None,
) -> None:
    """Describe a model in Markdown.

    Equations in LaTeX, tables of all quantities, traces of a short run and, of a model with two variables, its phase
    plane. GitHub, Jupyter and Pandoc show such a page as it is.

    \b
    Examples:
      ratemlx describe montbrio
      ratemlx describe my_model.xml -o docs
    """
    from ratemlx.describe import describe as page_of
    from ratemlx.files import write_files
    from ratemlx.load import load

    page = page_of(load(model, plugin or ()), figures=figures and output is not None)
    if output is None:
        print(page.markdown, end="")
        return
    for name, data in page.figures.items():
        _write_figure(output / name, data)
    (written,) = write_files(output, {f"{page.name}.md": page.markdown})
    print("\n".join(map(str, (written, *(output / name for name in page.figures)))))


def _write_figure(path: Path, data: bytes) -> None:
    from ratemlx.errors import RatemlxError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise RatemlxError(f"cannot write {path}: {error.strerror}") from error
