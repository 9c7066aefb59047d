"""`ratemlx inspect`: a model as it stands after a stage of the pipeline."""

from __future__ import annotations

from typing import Annotated

import typer

from ratemlx.cli.options import ModelArgument, PluginOption


def inspect(
    model: ModelArgument,
    stage: Annotated[
        str, typer.Option("--stage", metavar="STAGE", help="Stage to print; `list` names the stages in order.")
    ] = "list",
    plugin: PluginOption = None,
) -> None:
    """Print a model after a stage of the pipeline.

    From the file's text to the statements of the kernel; without --stage, the names of the stages.

    \b
    Examples:
      ratemlx inspect montbrio
      ratemlx inspect montbrio --stage lower
    """
    from ratemlx.load import load
    from ratemlx.passes.pipeline import STAGES, stage_text

    if stage not in (*STAGES, "list"):
        raise typer.BadParameter(f"no stage {stage!r}; there are {', '.join(STAGES)}", param_hint="--stage")
    loaded = load(model, plugin or ())
    print("\n".join(STAGES) if stage == "list" else stage_text(loaded, stage).rstrip("\n"))
