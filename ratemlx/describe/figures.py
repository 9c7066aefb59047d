"""Figures of a model's page: traces of a short run, and the phase plane of a model with two variables.

Draws without a display, in the colours of the figures that runs draw.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemlx.describe.phase_plane import PhasePlane
from ratemlx.ir.units import Unit
from ratemlx.runtime.figure import COLOURS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAINT_REGIONS = 5
NULLCLINES = (COLOURS[0], COLOURS[1])
PATH = "#333333"
STYLE: Any = {
    "font.size": 9,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_traces(series: xr.DataArray) -> bytes:
    """A PNG of a run: a panel for each exposure, one region strong and some others faint.

    `series` has dimensions exposure, time (ms) and region, and the coordinate `exposure_unit`.
    """
    from matplotlib import rc_context

    names = [str(name) for name in series["exposure"].values]
    units = [str(unit) for unit in series["exposure_unit"].values]
    times = series["time"].values
    with rc_context(STYLE):
        figure = _figure(7.2, 0.9 + 1.25 * len(names))
        axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name, unit, values, colour in zip(axes, names, units, series.values, _cycle(len(names)), strict=True):
            shown = np.linspace(0, values.shape[1] - 1, FAINT_REGIONS + 1).round().astype(int)
            for region in shown[:0:-1]:
                axis.plot(times, values[:, region], color=colour, linewidth=0.6, alpha=0.25)
            axis.plot(times, values[:, shown[0]], color=colour, linewidth=1.1)
            axis.set_ylabel(_label(name, unit))
            axis.margins(x=0.01)
        axes[-1].set_xlabel("time (ms)")
        figure.align_ylabels()
        return _png(figure)


def draw_phase_plane(plane: PhasePlane) -> bytes:
    """A PNG of the flow, the nullclines (contours at zero of each derivative) and the trajectories."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = _figure(5.4, 4.2)
        axis: Axes = figure.subplots()
        axis.streamplot(
            plane.x, plane.y, plane.dx, plane.dy, density=0.9, color="#d5d8dc", linewidth=0.6, arrowsize=0.7
        )
        for values, colour in zip((plane.dx, plane.dy), NULLCLINES, strict=True):
            axis.contour(plane.x, plane.y, values, levels=[0.0], colors=[colour], linewidths=1.4)
        for index, path in enumerate(plane.trajectories):
            strong = index == 0
            axis.plot(*path.T, color=PATH, linewidth=1.2 if strong else 0.6, alpha=1.0 if strong else 0.45)
            axis.plot(*path[0], "o", color=PATH, markersize=4 if strong else 2.5, alpha=1.0 if strong else 0.6)
        axis.set_xlim(plane.x[0], plane.x[-1])
        axis.set_ylim(plane.y[0], plane.y[-1])
        first, second = plane.variables
        axis.set_xlabel(_label(first.name, _unit(first.unit)))
        axis.set_ylabel(_label(second.name, _unit(second.unit)))
        labels = (f"d{first.name}/dt = 0", f"d{second.name}/dt = 0", "trajectory")
        handles = [_line(colour) for colour in (*NULLCLINES, PATH)]
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
        return _png(figure)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=160, metadata={"Software": None})
    return stream.getvalue()


def _cycle(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def _line(colour: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linewidth=1.5)


def _label(name: str, unit: str) -> str:
    return name if unit in ("", "1") else f"{name} ({unit})"


def _unit(unit: Unit | None) -> str:
    return "" if unit is None else str(unit)
