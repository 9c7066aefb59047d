"""`ratemlx new`: a model file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

STARTER = Path("new") / "model.xml"
"""The starter model among the templates."""


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name: letters, digits and underscores.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write NAME.xml into.")
    ] = Path(),
) -> None:
    """Write a starter model.

    A commented model file with every kind of element, which validates and runs as it is.

    \b
    Examples:
      ratemlx new my_model
      ratemlx new my_model -o models
    """
    from ratemlx.errors import RatemlxError
    from ratemlx.files import write_files
    from ratemlx.lems.rules.model_name import HINT, name_fault, refusal

    if reason := name_fault(name):
        raise RatemlxError(refusal(name, reason), HINT)
    path = output / f"{name}.xml"
    if path.exists():
        raise RatemlxError(f"there is already a file {path}", "choose another name or another folder: -o DIR")
    write_files(output, {path.name: starter(name)})
    print(path)


def starter(name: str) -> str:
    """The text of a starter model of this name."""
    from string import Template

    from ratemlx.resources import templates

    return Template((templates() / STARTER).read_text(encoding="utf-8")).substitute(name=name)
