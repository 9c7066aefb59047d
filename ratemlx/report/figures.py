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
from ratemlx.runtime.arrays import AnyArray, Floats
from ratemlx.runtime.figure import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIVERGED = "#b4524b"
MISSING = "#e4e2dc"
STRIP_COLUMNS, LOWEST_STRIP = 30, 7.0
MOST_NAMES = 12
MOST_SET = 4
BOTH_SIDES = 0.25
"""The lesser side of zero has its own colours only if it reaches this far, as a share of the greater side."""
LONGEST_TEXT = {"x": 22, "y": 16}
"""Letters that fit above and beside a small panel of traces."""


def draw_heatmap(
    run: Run, view: View, metric: Quantity, grid: tuple[Floats, AnyArray], path: Path, *, logarithmic: bool = False
) -> None:
    """A metric over two parameters, a panel for each value of a third, all on one scale of colours; `grid` has its
    values and where instances diverged."""
    values, lost = grid
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
            axis.label_outer(remove_inner_ticks=True)
            if view.axis["facet"] is not None:
                axis.set_title(level_text(view.cells.axes[view.axis["facet"]], panel))
        figure.colorbar(image, ax=axes, label=metric.label, shrink=0.9)
        figure.supxlabel(view.label("x"), fontsize=9)
        figure.supylabel(view.label("y"), fontsize=9)
        figure.suptitle(_title(run, view, metric.label, "red: diverged" if lost.any() else ""), fontsize=9)
        save(figure, path)


def draw_curves(
    run: Run, view: View, metric: Quantity, grid: tuple[Floats, AnyArray], path: Path, *, logarithmic: bool = False
) -> None:
    """A metric over one parameter as dots on a line, one for each value of another; red marks what diverged."""
    from matplotlib import colormaps

    values, lost = grid
    place = view.axis["x"]
    levels = np.zeros(1) if place is None else view.cells.axes[place].values
    with style():
        figure = new_figure(5.0, 3.2)
        axis = figure.subplots()
        axis.spines[["top", "right"]].set_visible(False)
        facet, named = view.axis["facet"], spread(len(values), MOST_NAMES)
        colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(values)))
        for panel, (curve, gone) in enumerate(zip(values[:, 0], lost[:, 0], strict=True)):
            name = None if facet is None or panel not in named else level_text(view.cells.axes[facet], panel)
            axis.plot(levels, curve, marker="o", markersize=4, linewidth=1.1, color=colours[panel], label=name)
            for level in levels[gone]:
                axis.axvline(level, color=DIVERGED, linewidth=1.2, zorder=0)
        axis.set(xlabel=view.label("x"), ylabel=metric.label, yscale="log" if logarithmic else "linear")
        if len(levels) <= MOST_SIDE:
            axis.set_xticks(levels, view.texts("x"))
        if len(values) > 1:
            figure.legend(loc="outside right center", frameon=False)
        figure.suptitle(_title(run, view, metric.label, "red: diverged" if lost.any() else ""), fontsize=9)
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
            _title(run, view, "", "means over regions, a few regions faint; every row has its own y axis"), fontsize=9
        )
        save(figure, path)


def draw_matrices(run: Run, matrices: Sequence[Matrix], path: Path) -> None:
    """Matrices side by side, those alike first and on one scale about zero with one bar."""
    from matplotlib.colors import Normalize

    matrices = sorted(matrices, key=lambda item: item.name != matrices[0].name)
    with style():
        figure = new_figure(0.6 + 2.9 * len(matrices), 3.1)
        axes = figure.subplots(1, len(matrices), squeeze=False)[0]
        alike = [item for item in matrices if item.name == matrices[0].name]
        reach = max(float(np.nanmax(np.abs(_off_diagonal(item.values)), initial=0.0)) for item in alike) or 1.0
        for axis, item in zip(axes, matrices, strict=True):
            is_alike = item.name == matrices[0].name
            norm, colours = (Normalize(-reach, reach), "coolwarm") if is_alike else _weights_norm(item.values)
            image = axis.imshow(np.clip(item.values, norm.vmin, None), cmap=colours, norm=norm, interpolation="nearest")
            name = f"{item.name} of {item.exposure}" if item.exposure else item.name
            axis.set_title(f"{name}{'' if item.instance >= 0 else ', to compare with'}")
            axis.set_xlabel("region")
            if not is_alike:
                figure.colorbar(image, ax=axis, shrink=0.8, label=item.name)
            elif item is alike[-1]:
                figure.colorbar(image, ax=list(axes[: len(alike)]), shrink=0.8, label=f"{item.name} off the diagonal")
        figure.suptitle(
            f"{run.model}: instance {matrices[0].instance}{_values_text(run, matrices[0].instance)}", fontsize=9
        )
        save(figure, path)


def _values_text(run: Run, instance: int) -> str:
    """What an instance has of the swept parameters."""
    values = run.read(run.swept)[np.searchsorted(run.instances, instance)]
    pairs = zip(run.swept_parameters, values, strict=True)
    units = {item.name: "" if item.unit in ("", "1") else f" {item.unit}" for item in run.swept_parameters}
    return "".join(f", {item.name} = {value:.4g}{units[item.name]}" for item, value in pairs)


def draw_distributions(run: Run, distributions: Sequence[Distribution], path: Path) -> None:
    """Metrics as histograms, or as dots where they are few, each with its quartiles."""
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
            if len(item.values):
                piles = _piles(item.values)
                axis.plot(item.values, piles, "o", color="#7d93ad", markersize=3.5, markeredgewidth=0)
                axis.set(ylim=(0.0, max(LOWEST_STRIP, piles.max() + 1.0)), yticks=[])
            elif item.total:
                axis.stairs(
                    item.counts,
                    item.edges if len(item.counts) > 1 else item.edges + np.array([-0.5, 0.5]),
                    fill=True,
                    color="#7d93ad",
                )
            if item.total:
                axis.axvline(item.quartiles[1], color="black", linewidth=1.0)
                axis.axvspan(item.quartiles[0], item.quartiles[2], color="#7d93ad", alpha=0.2, linewidth=0, zorder=0)
            axis.set_xlabel(item.quantity.label)
        figure.supylabel("instances", fontsize=9)
        diverged = int(run.diverged.sum())
        figure.suptitle(
            f"{run.model}: {_shown(run, distributions)}, {len(run.instances) - diverged:,} instances\n"
            "lines: medians; shaded: between the quartiles",
            fontsize=9,
        )
        save(figure, path)


def _shown(run: Run, distributions: Sequence[Distribution]) -> str:
    """How many metrics of how many, and how to have others, where they are not all there."""
    if len(distributions) == len(run.metrics):
        return f"{len(distributions)} metric{'s' if len(distributions) > 1 else ''}"
    return f"{len(distributions)} of {len(run.metrics)} metrics (others with --metric)"


def _piles(values: Floats) -> Floats:
    """Places of ascending numbers in piles, so that none hides another."""
    low, high = float(values[0]), float(values[-1])
    columns = np.zeros(len(values)) if high == low else np.floor((values - low) / (high - low) * STRIP_COLUMNS)
    piles = [int((columns[: index + 1] == column).sum()) for index, column in enumerate(columns)]
    return np.array(piles, dtype=np.float64)


def trace_places(view: View) -> dict[tuple[int, int], int]:
    """Numbers of the instances at evenly spread (row, column) of a view."""
    cells, (_, rows, columns) = view.cell_places()
    kept_rows, kept_columns = spread(view.size("y"), MOST_SIDE), spread(view.size("x"), MOST_SIDE)
    found = zip(rows.tolist(), columns.tolist(), view.cells.first[cells].tolist(), strict=True)
    return {(row, column): first for row, column, first in found if row in kept_rows and column in kept_columns}


def _norm(values: AnyArray, logarithmic: bool) -> tuple[Any, str]:
    """Scale and map of colours: viridis, or a diverging map about zero where values on both sides of it matter."""
    from matplotlib.colors import LogNorm, Normalize

    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if low < 0 < high and min(-low, high) > BOTH_SIDES * max(-low, high):
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
        places = [] if view.axis[role] is None else spread(count, 8)
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


def _title(run: Run, view: View, subject: str, remark: str) -> str:
    """The model, what is drawn of it, and at which values its other parameters stand."""
    head = ": ".join(part for part in (run.model, subject) if part)
    rest = "; ".join(part for part in (", ".join(filter(None, (view.fixed_text, _set_text(run)))), remark) if part)
    return "\n".join(part for part in (head, rest) if part)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _set_text(run: Run) -> str:
    """What the whole run has at another value than the model's."""
    found = run.provenance.get("set")
    units = {item.name: "" if item.unit in ("", "1") else f" {item.unit}" for item in run.parameters}
    pairs = list(found.items()) if isinstance(found, Mapping) else []
    texts = [f"{name} = {_plain(value)}{units.get(name, '')}" for name, value in pairs if name not in run.swept]
    return ", ".join(texts[:MOST_SET]) + (", ..." if len(texts) > MOST_SET else "")


def _off_diagonal(values: AnyArray) -> AnyArray:
    return values[~np.eye(len(values), dtype=bool)]
