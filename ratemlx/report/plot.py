"""One static figure of a run, by its kind: what to draw is looked up here, drawing is in `figures`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.report import figures
from ratemlx.report.canvas import file_format
from ratemlx.report.cells import make_cells
from ratemlx.report.open import open_run
from ratemlx.report.run import Matrix, Run, remembered
from ratemlx.report.select import View, select
from ratemlx.report.summaries import FITNESS, default_metric, in_groups, summarise
from ratemlx.runtime.arrays import did_you_mean


@dataclass(frozen=True)
class Request:
    """What a figure should show; what is left out is chosen."""

    metrics: Sequence[str] = ()
    x: str | None = None
    y: str | None = None
    facet: str | None = None
    at: Mapping[str, float] = field(default_factory=dict)
    instance: int | None = None
    logarithmic: bool = False


EVERYTHING_CHOSEN = Request()


def write_figure(folder: str | Path, kind: str, path: str | Path, request: Request = EVERYTHING_CHOSEN) -> None:
    """Draw a figure of the run in `folder` into a file; raises ResultError where the run lacks what it needs."""
    if kind not in KINDS:
        raise ResultError(f"no figure is called {kind}", did_you_mean(kind, KINDS))
    file_format(Path(path))
    for name in OPTIONS:
        if getattr(request, name) != getattr(EVERYTHING_CHOSEN, name) and name not in USED[kind]:
            kinds = " or ".join(item for item in KINDS if name in USED[item])
            raise ResultError(f"--{OPTIONS[name]} says nothing about --kind {kind}", f"it is for {kinds}")
    KINDS[kind](remembered(open_run(folder)), Path(path), request)


def _view(run: Run, request: Request, facets: bool) -> View:
    wanted = {"x": request.x, "y": request.y, "facet": request.facet}
    return select(make_cells(run), wanted, request.at, facets)


def _heatmap(run: Run, path: Path, request: Request) -> None:
    if len(request.metrics) > 1:
        raise ResultError("a map shows one metric", "draw each into a file of its own, or try ratemlx report")
    first = default_metric(run)
    metric = run.metric(request.metrics[0] if request.metrics else first.name if first else None)
    view = _view(run, request, True)
    values, lost = view.grid(run.metrics.index(metric))
    finite = values[np.isfinite(values)]
    if request.logarithmic and len(finite) and finite.min() <= 0:
        raise ResultError(
            f"{metric.name} has values down to {finite.min():.3g}, which have no logarithm", "leave out --log"
        )
    draw = figures.draw_heatmap if view.axis["y"] is not None else figures.draw_curves
    draw(run, view, metric, (values, lost), path, logarithmic=request.logarithmic)


def _traces(run: Run, path: Path, request: Request) -> None:
    if request.facet:
        raise ResultError("a grid of traces has rows and columns, no further panels", "use --at for other parameters")
    view = _view(run, request, False)
    places = figures.trace_places(view)
    drawn = run.traces([instance for instance in places.values() if instance in set(run.traced.tolist())])
    if not drawn.traces:
        raise ResultError("the run kept no time series of these instances", "run the sweep again with --keep all")
    figures.draw_traces(run, view, drawn, places, path)


def _fc(run: Run, path: Path, request: Request) -> None:
    instance = _best(run) if request.instance is None else request.instance
    found = run.matrices([instance])
    if not found:
        raise ResultError(f"the run keeps no matrix of instance {instance}", "it keeps those of the best instances")
    figures.draw_matrices(run, [*found, *_comparable(run, found)], path)


def _comparable(run: Run, found: Sequence[Matrix]) -> list[Matrix]:
    exposures = {"", *(item.exposure for item in found)}
    shape = found[0].values.shape
    fitting = [item for item in run.references if item.exposure in exposures and item.values.shape == shape]
    return sorted(fitting, key=lambda item: item.name != found[0].name)


def _best(run: Run) -> int:
    _, rankings = summarise(run)
    for ranking in sorted(rankings, key=lambda item: item.quantity.name != FITNESS):
        if len(ranking.highest):
            return int(ranking.highest[0])
    raise ResultError("the run has no metric by which an instance is best", "name one with --instance")


def _distribution(run: Run, path: Path, request: Request) -> None:
    chosen = list(dict.fromkeys(run.metric(name).name for name in request.metrics))
    distributions, _ = summarise(run)
    if not distributions:
        run.metric(None)
    by_name = {item.quantity.name: item for item in distributions}
    drawn = [by_name[name] for name in chosen] if chosen else in_groups(distributions)[0]
    figures.draw_distributions(run, drawn, path)


KINDS: Mapping[str, Callable[[Run, Path, Request], None]] = {
    "heatmap": _heatmap,
    "traces": _traces,
    "fc": _fc,
    "distribution": _distribution,
}
OPTIONS = {
    "metrics": "metric",
    "x": "x",
    "y": "y",
    "facet": "facet",
    "at": "at",
    "instance": "instance",
    "logarithmic": "log",
}
USED: Mapping[str, Sequence[str]] = {
    "heatmap": ("metrics", "x", "y", "facet", "at", "logarithmic"),
    "traces": ("x", "y", "facet", "at"),
    "fc": ("instance",),
    "distribution": ("metrics",),
}
"""Which parts of a request each kind of figure heeds; others are refused rather than ignored."""
