"""Options that several commands share, with one wording of their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="A shipped model's name (see `ratemlx models`) or a path to an XML file.")
]
PluginOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="Python file with transfer functions. It is code and will be run. Repeatable.",
    ),
]
