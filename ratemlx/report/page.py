"""Writes a run's report: one HTML page that needs nothing but itself.

Every text is escaped by Jinja, data stand in one element that is not executed, and the page's policy lets run only
the script whose hash it names. Knows runs and summaries; drawing in the browser is in templates/report/.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ratemlx.errors import ResultError
from ratemlx.report.cells import Cells, make_cells
from ratemlx.report.facts import facts, lede, provenance_rows, warnings
from ratemlx.report.open import open_run
from ratemlx.report.pack import script_json
from ratemlx.report.payload import payload
from ratemlx.report.run import Run, remembered
from ratemlx.report.summaries import FITNESS, SHOWN_DIVERGED, Distribution, in_groups, shares, summarise
from ratemlx.resources import templates
from ratemlx.runtime.cache import replacing

REPORT_FILE = "report.html"
SCRIPTS = ("base.js", "chooser.js", "maps.js", "traces.js", "ranks.js", "main.js")
HISTOGRAM_WIDTH, HISTOGRAM_HEIGHT = 240.0, 56.0
DOT = 3.0


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram in the units of its drawing, and what it says."""

    x: float
    y: float
    width: float
    height: float
    text: str


def write_report(folder: str | Path, output: str | Path | None = None) -> Path:
    """Write the report of the run in `folder`, beside its results if no file is named; raises ResultError."""
    path = Path(folder).expanduser() / REPORT_FILE if output is None else Path(output).expanduser()
    text = report_page(open_run(folder))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultError(f"the report cannot be written to {path}: {error.strerror}") from error
    return path


def report_page(run: Run) -> str:
    """The whole page."""
    run = remembered(run)
    cells = make_cells(run)
    distributions, rankings = summarise(run)
    data = payload(run, cells, rankings)
    environment = _environment()
    script = "\n".join(_file(name) for name in SCRIPTS)
    script = f'"use strict";\n(function () {{\n{script}}})();\n'
    style = _file("style.css")
    return environment.get_template("page.html.jinja").render(
        **_context(run, cells, distributions),
        has_maps=bool(cells.axes and run.metrics),
        n_axes=len(cells.axes),
        has_traces=data["traces"] is not None,
        has_matrices=any(item["instance"] >= 0 for item in data["matrices"]),
        data=Markup(script_json(data)),
        script=Markup(script),
        style=Markup(style),
        script_hash=_hash(script),
        style_hash=_hash(style),
    )


def _context(run: Run, cells: Cells, distributions: Sequence[Distribution]) -> Mapping[str, Any]:
    first, groups = in_groups(distributions)
    places = np.flatnonzero(run.diverged)[:SHOWN_DIVERGED]
    swept = run.read(run.swept)[places] if len(places) and run.swept else np.empty((len(places), 0))
    return {
        "run": run,
        "lede": lede(run),
        "about": str(run.provenance.get("description", "")),
        "reference": str(run.provenance.get("reference", "")),
        "warnings": warnings(run),
        "facts": facts(run),
        "remarks": cells.remarks(run),
        "best_title": "Best fits" if any(item.name.startswith(FITNESS) for item in run.metrics) else "Extremes",
        "distributions": [_drawn(item) for item in first],
        "groups": {
            name: [_drawn(item) for item in group] for name, group in groups.items() if not {*group} <= {*first}
        },
        "width": HISTOGRAM_WIDTH,
        "height": HISTOGRAM_HEIGHT,
        "radius": DOT,
        "n_diverged": int(run.diverged.sum()),
        "diverged": [
            (int(run.instances[place]), int(run.diverged_at[place]), [f"{value:.6g}" for value in row])
            for place, row in zip(places, swept, strict=True)
        ],
        "shares": shares(run, cells.axes) if run.diverged.any() else {},
        "provenance": provenance_rows(run),
    }


def bars(item: Distribution) -> list[Bar]:
    """The histogram of a distribution as bars over the whole width of its drawing."""
    if not item.total:
        return []
    width = HISTOGRAM_WIDTH / len(item.counts)
    unit = f" {item.quantity.unit}" if item.quantity.unit not in ("", "1") else ""
    drawn = []
    for index, count in enumerate(item.counts.tolist()):
        height = HISTOGRAM_HEIGHT * count / int(item.counts.max())
        text = f"{item.edges[index]:.4g} to {item.edges[index + 1]:.4g}{unit}: {count:,}"
        if count:
            drawn.append(Bar(index * width, HISTOGRAM_HEIGHT - max(1.0, height), width, max(1.0, height), text))
    return drawn


@dataclass(frozen=True)
class Dot:
    """A number of a strip in the units of its drawing, and what it says."""

    x: float
    y: float
    text: str


def dots(item: Distribution) -> list[Dot]:
    """Few numbers one by one; those that would touch are piled up, closer where the pile is high."""
    columns: dict[int, int] = {}
    placed = []
    for value in item.values.tolist():
        x = _across(item, value)
        column = int(x // (2 * DOT))
        columns[column] = columns.get(column, 0) + 1
        placed.append((x, columns[column], value))
    step = min(2 * DOT, (HISTOGRAM_HEIGHT - 2 * DOT) / max(1, *columns.values())) if columns else 0.0
    return [Dot(x, HISTOGRAM_HEIGHT - DOT - step * (level - 1), f"{value:.4g}") for x, level, value in placed]


def _across(item: Distribution, value: float) -> float:
    """Where a number lies in a drawing, with room for a dot at both ends."""
    low, high = float(item.edges[0]), float(item.edges[-1])
    share = (value - low) / (high - low) if len(item.counts) > 1 else 0.5
    return DOT + share * (HISTOGRAM_WIDTH - 2 * DOT) if len(item.values) else share * HISTOGRAM_WIDTH


def _drawn(item: Distribution) -> tuple[Distribution, list[Bar], list[Dot], list[float]]:
    """A distribution with what is drawn of it: bars or dots, and its quartiles."""
    quartiles = [_across(item, value) for value in item.quartiles] if item.total and len(item.counts) > 1 else []
    return item, [] if len(item.values) else bars(item), dots(item), quartiles


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates() / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figures"] = _figures
    environment.filters["thousands"] = lambda value: f"{value:,}"
    return environment


def _figures(value: float) -> str:
    """A number to three figures, without a power of ten where it needs none."""
    text = f"{value:.3g}"
    return f"{float(text):.0f}" if "e+0" in text and abs(value) < 1e5 else text


def _file(name: str) -> str:
    return (templates() / "report" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What the page's policy calls a text that stands between the tags of an element."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
