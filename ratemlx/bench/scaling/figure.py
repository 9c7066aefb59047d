"""The figure of scaling: run time against the number of ranks, strong and weak, beside what would be ideal.

As figure 9 of van der Vlag et al. 2023 (Vast TVB parameter space exploration), where ranks are GPUs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemlx.report.canvas import new_figure, save, style
from ratemlx.runtime.figure import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IDEAL = "#8a8880"


def draw_scaling(found: Mapping[str, Any], path: Path) -> None:
    """Draw what `measure_scaling` found; raises ResultError where the file cannot be written."""
    with style():
        figure = new_figure(6.6, 3.0)
        strong, weak = figure.subplots(1, 2)
        _draw(strong, found["strong"], found["cores"], COLOURS[1], shrinks=True)
        strong.set_title(f"strong scaling: {found['strong'][0]['instances']:,} instances in all")
        _draw(weak, found["weak"], found["cores"], COLOURS[0], shrinks=False)
        each = found["weak"][0]["instances"] // found["weak"][0]["ranks"]
        weak.set_title(f"weak scaling: {each:,} instances for each rank")
        work = f"{found['model']} on {found['connectome']}, {found['steps']:,} steps"
        figure.suptitle(f"{work}, on {found['cores']} cores", fontsize=9)
        save(figure, path)


def _draw(axis: Axes, points: Sequence[Mapping[str, Any]], cores: int, colour: str, *, shrinks: bool) -> None:
    """Medians with their efficiency, all runs, the ideal, and where there are more ranks than cores."""
    ranks = [item["ranks"] for item in points]
    first = points[0]
    ideal = [first["seconds"] * (first["ranks"] / count if shrinks else 1) for count in ranks]
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.plot(ranks, ideal, color=IDEAL, linestyle="--", linewidth=1.0, label="ideal")
    axis.plot(ranks, [item["seconds"] for item in points], "o-", color=colour, markersize=4, label="measured (median)")
    every = [(item["ranks"], seconds) for item in points for seconds in item["all_seconds"]]
    axis.plot(*zip(*every, strict=True), ".", color=colour, markersize=3, alpha=0.4, label="single runs")
    if ranks[-1] > cores:
        edge = cores * (min(count for count in ranks if count > cores) / cores) ** 0.5
        axis.axvspan(edge, ranks[-1] * 1.2, color=IDEAL, alpha=0.15, linewidth=0, label="more ranks than cores")
    shift = (4, 5) if shrinks else (4, -11)
    for item in points:
        place = item["ranks"], item["seconds"]
        axis.annotate(f"{item['efficiency']:.0%}", place, shift, textcoords="offset points")
    _scales(axis, ranks, [*ideal, *(seconds for _, seconds in every)])
    axis.set_xlabel("ranks")
    axis.set_ylabel("seconds")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=7, loc="lower left")


def _scales(axis: Axes, ranks: Sequence[int], seconds: Sequence[float]) -> None:
    """Ranks by their numbers; room for the legend below, and for texts above and to the right."""
    axis.set_xticks(ranks, [str(count) for count in ranks])
    axis.minorticks_off()
    axis.set_xlim(ranks[0] / 1.2, ranks[-1] * 1.35)
    low, high = min(seconds), max(seconds)
    axis.set_ylim(low / 3, high * 1.5)
    places = [10.0**power * digit for power in range(-6, 7) for digit in (1, 2, 5)]
    shown = [place for place in places if low / 3 < place < high * 1.5]
    axis.set_yticks(shown, [f"{place:g}" for place in shown])
