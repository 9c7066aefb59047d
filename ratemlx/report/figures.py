"""Static figures of a run, drawn on a canvas: what `select` lays out and `choose` picks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemlx.report.canvas import new_figure, save, style
from ratemlx.report.choose import MOST_SIDE, spread
from ratemlx.report.run import Matrix, Quantity, Run, TraceSet
from ratemlx.report.select import View, level_text
from ratemlx.report.summaries import Distribution
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.figure import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIVERGED = "#b4524b"
MISSING = "#e4e2dc"
LONGEST_TEXT = {"x": 22, "y": 16}
"""Letters that fit above and beside a small panel of traces."""


def draw_heatmap(run: Run, view: View, metric: Quantity, path: Path, *, logarithmic: bool = False) -> None:
    """A metric over two parameters, a panel for each value of a third, all on one scale of colours."""
    values, lost = view.grid(run.metrics.index(metric))
    panels, rows, columns = values.shape
    across = min(panels, 4 if panels % 3 else 3)
    down = math.ceil(panels / across)
    with style():
        figure = new_figure(0.9 + 2.3 * across, 0.7 + 2.0 * down)
        axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        norm, colours = _norm(values, logarithmic)
        for panel, axis in enumerate(axes.flat):
            if panel >= panels:
                axis.set_visible(False)
                continue
            axis.set_facecolor(MISSING)
            image = axis.imshow(
                values[panel], origin="lower", aspect="auto", cmap=colours, norm=norm, interpolation="nearest"
            )
            _mark_lost(axis, lost[panel])
            _ticks(axis, view, rows, columns)
            if view.axis["facet"] is not None:
                axis.set_title(level_text(view.cells.axes[view.axis["facet"]], panel))
        figure.colorbar(image, ax=axes, label=metric.label, shrink=0.9)
        figure.supxlabel(view.label("x"), fontsize=9)
        figure.supylabel(view.label("y"), fontsize=9)
        figure.suptitle(_title(run, view, "red: diverged" if lost.any() else ""), fontsize=9)
        save(figure, path)


def draw_traces(run: Run, view: View, drawn: TraceSet, places: Mapping[tuple[int, int], int], path: Path) -> None:
    """A grid of traces; `places` are numbers of instances by (row, column), the first row on top."""
    rows, columns = (sorted({place[index] for place in places}) for index in (0, 1))
    unit = drawn.exposures[0].unit
    shown = [(index, item) for index, item in enumerate(drawn.exposures) if item.unit == unit][: len(COLOURS)]
    by_instance = {trace.instance: trace.values for trace in drawn.traces}
    with style():
        figure = new_figure(1.1 + 1.75 * len(columns), 1.2 + 1.15 * len(rows))
        axes = figure.subplots(len(rows), len(columns), squeeze=False, sharex=True, sharey="row")
        for (row, column), instance in places.items():
            axis = axes[rows.index(row), columns.index(column)]
            if instance in by_instance:
                _draw_lines(axis, drawn, by_instance[instance], shown)
        for axis in axes.flat:
            axis.spines[["top", "right"]].set_visible(False)
            axis.margins(x=0.01)
        for column, axis in zip(columns, axes[0], strict=True):
            axis.set_title(_name_text(view, "x", column))
        for row, axis in zip(rows, axes[:, -1], strict=True):
            text = _name_text(view, "y", row)
            axis.annotate(text, (1.03, 0.5), xycoords="axes fraction", rotation=-90, ha="left", va="center")
        figure.supxlabel("time (ms)", fontsize=9)
        names = ", ".join(item.name for _, item in shown)
        figure.supylabel(names + (f" ({unit})" if unit not in ("", "1") else ""), fontsize=9)
        _legend(figure, shown)
        figure.suptitle(
            _title(run, view, "means over regions, a few regions faint; every row has its own y axis"), fontsize=9
        )
        save(figure, path)


def draw_matrices(run: Run, matrices: Sequence[Matrix], path: Path) -> None:
    """Matrices side by side, correlations on one scale, off the diagonal."""
    with style():
        figure = new_figure(0.6 + 2.9 * len(matrices), 3.1)
        axes = figure.subplots(1, len(matrices), squeeze=False)[0]
        alike = [item for item in matrices if item.name == matrices[0].name]
        together = np.concatenate([_off_diagonal(item.values) for item in alike])
        for axis, item in zip(axes, matrices, strict=True):
            norm, colours = _norm(together, False) if item in alike else _weights_norm(item.values)
            image = axis.imshow(np.clip(item.values, norm.vmin, None), cmap=colours, norm=norm, interpolation="nearest")
            name = f"{item.name} of {item.exposure}" if item.exposure else item.name
            axis.set_title(f"{name}, {f'instance {item.instance}' if item.instance >= 0 else 'to compare with'}")
            axis.set_xlabel("region")
            figure.colorbar(image, ax=axis, shrink=0.8)
        figure.suptitle(run.model, fontsize=9)
        save(figure, path)


def draw_distributions(run: Run, distributions: Sequence[Distribution], path: Path) -> None:
    """Histograms of metrics, each with its median."""
    across = min(len(distributions), 4)
    down = math.ceil(len(distributions) / across)
    with style():
        figure = new_figure(2.4 * across, 0.4 + 1.6 * down)
        axes = figure.subplots(down, across, squeeze=False)
        for axis in axes.flat:
            axis.set_visible(False)
        for axis, item in zip(axes.flat, distributions, strict=False):
            axis.set_visible(True)
            axis.spines[["top", "right"]].set_visible(False)
            if item.total:
                axis.stairs(
                    item.counts,
                    item.edges if len(item.counts) > 1 else item.edges + np.array([-0.5, 0.5]),
                    fill=True,
                    color="#7d93ad",
                )
                axis.axvline(item.quartiles[1], color="black", linewidth=0.8)
            axis.set_xlabel(item.quantity.label)
        figure.supylabel("instances", fontsize=9)
        diverged = int(run.diverged.sum())
        figure.suptitle(f"{run.model}: {len(run.instances) - diverged:,} instances; lines: medians", fontsize=9)
        save(figure, path)


def trace_places(view: View) -> dict[tuple[int, int], int]:
    """Numbers of the instances at evenly spread (row, column) of a view."""
    cells, (_, rows, columns) = view.cell_places()
    kept_rows, kept_columns = spread(view.size("y"), MOST_SIDE), spread(view.size("x"), MOST_SIDE)
    found = zip(rows.tolist(), columns.tolist(), view.cells.first[cells].tolist(), strict=True)
    return {(row, column): first for row, column, first in found if row in kept_rows and column in kept_columns}


def _norm(values: AnyArray, logarithmic: bool) -> tuple[Any, str]:
    """Scale and map of colours: viridis, or a diverging map about zero where values have both signs."""
    from matplotlib.colors import LogNorm, Normalize

    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if low < 0 < high:
        reach = max(-low, high)
        return Normalize(-reach, reach), "coolwarm"
    if logarithmic and low > 0:
        return LogNorm(low, high), "viridis"
    return Normalize(low, high), "viridis"


def _weights_norm(values: AnyArray) -> tuple[Any, str]:
    """As `_norm`; weights of tracts span decades and are zero where there is none, which logarithms leave out."""
    shown = _off_diagonal(values)
    positive = shown[shown > 0]
    wide = len(positive) > 0 and float(np.nanmin(shown)) >= 0 and positive.max() > 100 * positive.min()
    return _norm(positive if wide else shown, wide)


def _mark_lost(axis: Axes, lost: AnyArray) -> None:
    from matplotlib.colors import ListedColormap

    shown = np.where(lost, 1.0, np.nan)
    axis.imshow(shown, origin="lower", aspect="auto", cmap=ListedColormap([DIVERGED]), interpolation="nearest")


def _ticks(axis: Axes, view: View, rows: int, columns: int) -> None:
    for role, count, put in (("x", columns, axis.set_xticks), ("y", rows, axis.set_yticks)):
        places = spread(count, 8)
        texts = view.texts(role)
        put(places, [texts[place] for place in places], rotation=45 if role == "x" and view.size("x") > 5 else 0)


def _draw_lines(axis: Axes, drawn: TraceSet, values: AnyArray, shown: Sequence[tuple[int, Quantity]]) -> None:
    times = drawn.start + (np.arange(values.shape[-1]) + 0.5) / values.shape[-1] * (drawn.stop - drawn.start)
    for (exposure, _), colour in zip(shown, COLOURS, strict=False):
        for line in values[exposure, 1:]:
            axis.plot(times, line, color=colour, linewidth=0.5, alpha=0.25)
        axis.plot(times, values[exposure, 0], color=colour, linewidth=1.1)


def _legend(figure: Figure, shown: Sequence[tuple[int, Quantity]]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, linewidth=1.5) for colour in COLOURS[: len(shown)]]
    names = [item.name for _, item in shown]
    figure.legend(handles, names, loc="outside lower right", ncols=len(names), frameon=False)


def _name_text(view: View, role: str, level: int) -> str:
    """A level as an equation, on two lines where it is longer than a small panel."""
    place = view.axis[role]
    text = "" if place is None else level_text(view.cells.axes[place], level)
    return text.replace(" = ", "\n= ", 1) if len(text) > LONGEST_TEXT[role] else text


def _title(run: Run, view: View, remark: str) -> str:
    return "; ".join(part for part in (f"{run.model}{': ' if view.fixed else ''}{view.fixed_text}", remark) if part)


def _off_diagonal(values: AnyArray) -> AnyArray:
    return values[~np.eye(len(values), dtype=bool)]
