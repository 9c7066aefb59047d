"""The figure of a run: one small panel of traces per point of the sweep.

The one module of the runtime that needs matplotlib. Draws without a display and knows results only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.cache import replacing
from ratemlx.runtime.result import Result
from ratemlx.runtime.series import Quantity, variable_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PANELS = 64
MAX_SIDE = 8
FAINT_REGIONS = 5
MAX_TIMES = 2_000
COLOURS = ("#c8443a", "#2f6db3", "#4b9b5f", "#8a5fb0")
TITLE_LETTERS_PER_INCH = 12
MAX_TRACES = len(COLOURS)


@dataclass(frozen=True)
class Panel:
    """An instance at a row and a column of the figure; `title` names its point unless rows and columns do."""

    instance: int
    row: int
    column: int
    title: str


@dataclass(frozen=True)
class Layout:
    """All panels, and labels of rows and columns (empty if panels have titles)."""

    panels: tuple[Panel, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    left_out: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return 1 + max(panel.row for panel in self.panels), 1 + max(panel.column for panel in self.panels)


def draw_traces(result: Result, path: Path) -> None:
    """Draw means over regions (strong) and a few regions (faint) of every exposure into a PNG file."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layout = plan_layout(result)
    rows, columns = layout.shape
    with rc_context({"font.size": 8, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6}):
        figure = Figure(figsize=(max(4.5, 1.1 + 2.1 * columns), max(3.2, 1.5 + 1.45 * rows)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, sharex=True, sharey=_sharing(result), squeeze=False)
        _draw_panels(result, layout, axes)
        _label(result, layout, figure, axes)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png", dpi=150)


def plan_layout(result: Result) -> Layout:
    """Where each instance goes: a grid if exactly two axes are swept, else reading order; at most MAX_PANELS."""
    info = result.info
    if len(info.shape) == 2 and len(info.swept) == 2:
        return _grid_layout(result)
    chosen = _spread(info.n_instances, MAX_PANELS)
    columns = min(len(chosen), MAX_SIDE, math.ceil(math.sqrt(len(chosen)) * 1.2))
    panels = tuple(
        Panel(instance, index // columns, index % columns, _point_text(result, instance, info.swept))
        for index, instance in enumerate(chosen)
    )
    return Layout(panels, (), (), info.n_instances - len(panels))


def _grid_layout(result: Result) -> Layout:
    info = result.info
    rows, columns = (_spread(size, MAX_SIDE) for size in info.shape)
    panels = tuple(
        Panel(row * info.shape[1] + column, i, j, "") for i, row in enumerate(rows) for j, column in enumerate(columns)
    )
    return Layout(
        panels,
        tuple(_point_text(result, row * info.shape[1], info.swept[:1]) for row in rows),
        tuple(_point_text(result, column, info.swept[1:]) for column in columns),
        info.n_instances - len(panels),
    )


def _spread(count: int, most: int) -> list[int]:
    """All indices, or `most` of them evenly spread from the first to the last."""
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()


def _point_text(result: Result, instance: int, names: tuple[str, ...]) -> str:
    parts = []
    for name in names:
        values = result.parameters[variable_name(name)]
        unit = str(values.attrs["units"])
        parts.append(f"{name} = {float(values[instance]):.4g}{' ' + unit if unit not in ('', '1') else ''}")
    return "\n".join(parts)


def _draw_panels(result: Result, layout: Layout, axes: AnyArray) -> None:
    times = result.info.times
    stride = max(1, len(times) // MAX_TIMES)
    drawn = drawn_exposures(result.info.exposures)
    diverged_at = result.status.coords["diverged_at"].values
    for panel in layout.panels:
        axis: Axes = axes[panel.row, panel.column]
        series = result.time_series[panel.instance, :, ::stride].values.astype(np.float64)
        for (exposure, _), colour in zip(drawn, COLOURS, strict=False):
            _draw_traces(axis, times[::stride], series[exposure], colour)
        if panel.title:
            axis.set_title(panel.title, fontsize=7)
        if diverged_at[panel.instance] >= 0:
            axis.set_facecolor("#fbeeee")
            text = f"diverged at step {diverged_at[panel.instance]:,}"
            if not np.isfinite(_drawable(series[[index for index, _ in drawn]])).any():
                axis.tick_params(left=False, labelleft=False)
                axis.set_xlim(0.0, times[0] + times[-1])
                text += ",\nnothing finite to draw"
            axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", fontsize=7, color="#a03030")
    used = {(panel.row, panel.column) for panel in layout.panels}
    for position in np.ndindex(layout.shape):
        if position not in used:
            axes[position].set_visible(False)


def _draw_traces(axis: Axes, times: AnyArray, values: AnyArray, colour: str) -> None:
    """Traces of one exposure; `values` has shape (time, region), and what is not finite is left out."""
    values = _drawable(values)
    for region in _spread(values.shape[1], FAINT_REGIONS):
        axis.plot(times, values[:, region], color=colour, linewidth=0.5, alpha=0.25)
    finite = np.isfinite(values)
    counts = finite.sum(axis=1)
    sums = np.where(finite, values, 0.0).sum(axis=1)
    mean = np.divide(sums, counts, out=np.full(len(times), np.nan), where=counts > 0)
    axis.plot(times, mean, color=colour, linewidth=1.1)


def _drawable(values: AnyArray) -> AnyArray:
    """The values with NaN for those that an axis cannot show."""
    return np.where(np.isfinite(values) & (np.abs(values) < 1e30), values, np.nan)


def _sharing(result: Result) -> Literal["row", False]:
    """Panels of a row share their y axis unless one has diverged, whose last values would flatten the others."""
    return False if len(result.diverged) else "row"


def _label(result: Result, layout: Layout, figure: Figure, axes: AnyArray) -> None:
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.01)
    for column, text in enumerate(layout.columns):
        axes[0, column].set_title(text, fontsize=8)
    for row, text in enumerate(layout.rows):
        axis = axes[row, -1]
        axis.annotate(text, (1.03, 0.5), xycoords="axes fraction", rotation=-90, ha="left", va="center", fontsize=8)
    figure.supxlabel("time (ms)", fontsize=9)
    figure.supylabel(_value_label(drawn_exposures(result.info.exposures)), fontsize=9)
    drawn = drawn_exposures(result.info.exposures)
    handles: list[Any] = [_line(COLOURS[index]) for index in range(len(drawn))]
    names = [quantity.name for _, quantity in drawn]
    # The title belongs to the legend, so that neither is drawn over the other however narrow the figure is.
    figure.legend(
        handles,
        names,
        title=fill(figure_title(result, layout), int(figure.get_figwidth() * TITLE_LETTERS_PER_INCH)),
        title_fontsize=9,
        alignment="left",
        loc="outside upper left",
        ncols=len(names),
        frameon=False,
        fontsize=8,
    )


def figure_title(result: Result, layout: Layout) -> str:
    """What is drawn, what is left out, and what must be known to compare panels."""
    parts = [f"{result.info.model}: means over regions, a few regions faint"]
    if layout.left_out:
        parts.append(f"{len(layout.panels)} of {result.info.n_instances:,} instances")
    drawn = {index for index, _ in drawn_exposures(result.info.exposures)}
    left_out = [item.name for index, item in enumerate(result.info.exposures) if index not in drawn]
    if left_out:
        parts.append(f"not drawn: {', '.join(left_out)}")
    if len(result.diverged) == result.info.n_instances:
        parts.append("all instances diverged")
    elif not _sharing(result) and len(layout.panels) > 1:
        parts.append("every panel has its own y axis")
    elif layout.shape[0] > 1:
        parts.append("every row has its own y axis")
    return "; ".join(parts)


def drawn_exposures(exposures: tuple[Quantity, ...]) -> list[tuple[int, Quantity]]:
    """Exposures that can share an axis, with their places: those in the unit of the first, at most MAX_TRACES."""
    same = [(index, item) for index, item in enumerate(exposures) if item.unit == exposures[0].unit]
    return same[:MAX_TRACES]


def _line(colour: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linewidth=1.5)


def _value_label(drawn: list[tuple[int, Quantity]]) -> str:
    """Names of what is drawn, and the unit that they share."""
    unit = drawn[0][1].unit
    return ", ".join(item.name for _, item in drawn) + (f" ({unit})" if unit not in ("", "1") else "")
