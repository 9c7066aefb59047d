"""Printing programs as source: one module per target, found by looking."""

from __future__ import annotations

from pathlib import Path

from ratemlx.errors import RatemlxError
from ratemlx.files import write_files
from ratemlx.ir.model import Model


def target_names() -> tuple[str, ...]:
    """Names of all targets."""
    from ratemlx.targets.base import targets

    return tuple(targets())


def render(model: Model, target: str) -> dict[str, str]:
    """The text of every file that a target makes of a model, by file name.

    Raises RatemlxError for an unknown target.
    """
    from ratemlx.targets.base import targets

    found = targets().get(target)
    if found is None:
        raise RatemlxError(f"unknown target {target!r}", f"known targets: {', '.join(targets())}")
    return found.render(model)


def generate(model: Model, target: str, folder: Path) -> list[Path]:
    """Write a target's files into a folder, all or none of them; returns their paths."""
    return write_files(folder, render(model, target))
