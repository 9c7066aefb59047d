"""One static figure of a run, by its kind: what to draw is looked up here, drawing is in `figures`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.report import figures
from ratemlx.report.canvas import file_format
from ratemlx.report.cells import make_cells
from ratemlx.report.open import open_run
from ratemlx.report.run import Matrix, Run, remembered
from ratemlx.report.select import View, select
from ratemlx.report.summaries import FITNESS, default_metric, summarise
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
    KINDS[kind](remembered(open_run(folder)), Path(path), request)


def _view(run: Run, request: Request, facets: bool) -> View:
    wanted = {"x": request.x, "y": request.y, "facet": request.facet}
    return select(make_cells(run), wanted, request.at, facets)


def _heatmap(run: Run, path: Path, request: Request) -> None:
    first = default_metric(run)
    metric = run.metric(request.metrics[0] if request.metrics else first.name if first else None)
    figures.draw_heatmap(run, _view(run, request, True), metric, path, logarithmic=request.logarithmic)


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
    chosen = {run.metric(name).name for name in request.metrics} if request.metrics else None
    distributions, _ = summarise(run)
    drawn = [item for item in distributions if chosen is None or item.quantity.name in chosen]
    if not drawn:
        run.metric(None)
    figures.draw_distributions(run, drawn, path)


KINDS: Mapping[str, Callable[[Run, Path, Request], None]] = {
    "heatmap": _heatmap,
    "traces": _traces,
    "fc": _fc,
    "distribution": _distribution,
}
