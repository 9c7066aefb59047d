"""The canvas of static figures: one style, no display, files as PNG, SVG or PDF. Knows nothing of what is drawn."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemlx.errors import ResultError
from ratemlx.runtime.cache import check_place, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
STYLE: Any = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.titlesize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",
}


def file_format(path: Path) -> str:
    """The format that a file's name asks for; raises ResultError if it is none of FORMATS, or has no folder."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ResultError(f"{path.name} has no ending that says what to draw", f"end it in .{', .'.join(FORMATS)}")
    check_place(path)
    return kind


def style() -> AbstractContextManager[None]:
    """While this is open, figures have the style."""
    from matplotlib import rc_context

    return rc_context(STYLE)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(3.4, width), max(2.2, height)), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure whole or not at all; raises ResultError."""
    kind = file_format(path)
    try:
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=160)
    except OSError as error:
        raise ResultError(f"the figure cannot be written to {path}: {error.strerror}") from error
