"""`ratemlx models`: what is shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemlx.cli.tables import print_table

if TYPE_CHECKING:
    from ratemlx.lems.document import Document

HEADERS = ("model", "description", "state variables", "swept parameters")


def models() -> None:
    """List the shipped models.

    With their state variables and the parameters that a sweep may vary.

    \b
    Examples:
      ratemlx models
      ratemlx models | grep -A3 adex
    """
    from ratemlx.lems import parse_file
    from ratemlx.resources import shipped_models

    print_table(HEADERS, [_row(name, parse_file(path)) for name, path in shipped_models().items()])


def _row(name: str, document: Document) -> tuple[str, ...]:
    return (
        name,
        _first_sentence(document.description),
        " ".join(node.name.value for node in document.state_variables),
        " ".join(node.name.value for node in document.parameters),
    )


def _first_sentence(description: str) -> str:
    sentence, separator, _ = description.partition(". ")
    return f"{sentence}." if separator else sentence
