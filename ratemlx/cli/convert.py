"""`ratemlx convert`: a model file in RateML's spelling, written anew in the modern one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ratemlx.cli.options import PluginOption


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Model file, in RateML's spelling.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write; printed if left out.")
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the file itself.")] = False,
    plugin: PluginOption = None,
) -> None:
    """Rewrite a RateML file in the modern spelling.

    Meaning, layout and comments stay: the kernels of both files are the same. A file with errors is refused.

    \b
    Examples:
      ratemlx convert old.xml
      ratemlx convert old.xml -o new.xml
      ratemlx convert old.xml --in-place
    """
    from ratemlx.files import write_files
    from ratemlx.lems.modernise import modernise
    from ratemlx.lems.parse import parse_file
    from ratemlx.load import load

    if in_place and output is not None:
        raise typer.BadParameter("give one of -o and --in-place", param_hint="--in-place")
    if not in_place:
        _refuse_existing(output)
    document = parse_file(file)
    load(file, plugin or ())
    text = modernise(document)
    target = file if in_place else output
    if target is None:
        print(text, end="")
    else:
        write_files(target.parent, {target.name: text})
        print(target)


def _refuse_existing(output: Path | None) -> None:
    """Nothing is overwritten by -o, least of all the file that is converted."""
    from ratemlx.errors import RatemlxError
    from ratemlx.runtime.cache import check_place

    if output is not None and output.exists():
        raise RatemlxError(
            f"there is already a file {output}", "choose another name, or --in-place to replace the file itself"
        )
    if output is not None:
        check_place(output)
