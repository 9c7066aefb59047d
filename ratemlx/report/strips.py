"""Lays out small drawings of distributions: bars where numbers are many, dots where they are few, and quartiles.

Knows distributions; nothing of HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

from ratemlx.report.summaries import Distribution

WIDTH, HEIGHT = 240.0, 56.0
DOT = 3.0


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram in the units of its drawing, and what it says."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A number of a strip in the units of its drawing, and what it says."""

    x: float
    y: float
    text: str


def drawn(item: Distribution) -> tuple[Distribution, list[Bar], list[Dot], list[float]]:
    """A distribution with what is drawn of it: bars or dots, and its quartiles."""
    quartiles = [_across(item, value) for value in item.quartiles] if item.total and len(item.counts) > 1 else []
    return item, [] if len(item.values) else bars(item), dots(item), quartiles


def bars(item: Distribution) -> list[Bar]:
    """The histogram of a distribution as bars over the whole width of its drawing."""
    if not item.total:
        return []
    width = WIDTH / len(item.counts)
    unit = f" {item.quantity.unit}" if item.quantity.unit not in ("", "1") else ""
    found = []
    for index, count in enumerate(item.counts.tolist()):
        height = HEIGHT * count / int(item.counts.max())
        text = f"{item.edges[index]:.4g} to {item.edges[index + 1]:.4g}{unit}: {count:,}"
        if count:
            found.append(Bar(index * width, HEIGHT - max(1.0, height), width, max(1.0, height), text))
    return found


def dots(item: Distribution) -> list[Dot]:
    """Few numbers one by one; those that would touch are piled up, closer where the pile is high."""
    columns: dict[int, int] = {}
    placed = []
    for value in item.values.tolist():
        x = _across(item, value)
        column = int(x // (2 * DOT))
        columns[column] = columns.get(column, 0) + 1
        placed.append((x, columns[column], value))
    step = min(2 * DOT, (HEIGHT - 2 * DOT) / max(1, *columns.values())) if columns else 0.0
    return [Dot(x, HEIGHT - DOT - step * (level - 1), f"{value:.4g}") for x, level, value in placed]


def _across(item: Distribution, value: float) -> float:
    """Where a number lies in a drawing, with room for a dot at both ends."""
    low, high = float(item.edges[0]), float(item.edges[-1])
    share = (value - low) / (high - low) if len(item.counts) > 1 else 0.5
    return DOT + share * (WIDTH - 2 * DOT) if len(item.values) else share * WIDTH
