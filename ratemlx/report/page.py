"""Writes a run's report: one HTML page that needs nothing but itself.

Every text is escaped by Jinja, data stand in one element that is not executed, and the page's policy lets run only
the script whose hash it names. Knows runs and summaries; drawing in the browser is in templates/report/.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
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
from ratemlx.report.strips import DOT, HEIGHT, WIDTH, drawn
from ratemlx.report.summaries import FITNESS, SHOWN_DIVERGED, Distribution, in_groups, shares, summarise
from ratemlx.resources import templates
from ratemlx.runtime.cache import check_place, replacing

REPORT_FILE = "report.html"
SCRIPTS = ("base.js", "chooser.js", "maps.js", "traces.js", "ranks.js", "main.js")


def write_report(folder: str | Path, output: str | Path | None = None) -> Path:
    """Write the report of the run in `folder`, beside its results if no file is named; raises ResultError."""
    path = Path(folder).expanduser() / REPORT_FILE if output is None else Path(output).expanduser()
    if output is not None:
        check_place(path)
    text = report_page(open_run(folder))
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        elsewhere = f"name another place for it: ratemlx report {shlex.quote(str(folder))} -o FILE"
        raise ResultError(
            f"the report cannot be written to {path}: {error.strerror}", elsewhere if output is None else None
        ) from error
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
        "distributions": [drawn(item) for item in first],
        "groups": {name: [drawn(item) for item in group] for name, group in groups.items() if not {*group} <= {*first}},
        "width": WIDTH,
        "height": HEIGHT,
        "radius": DOT,
        "n_diverged": int(run.diverged.sum()),
        "diverged": [
            (int(run.instances[place]), int(run.diverged_at[place]), [f"{value:.6g}" for value in row])
            for place, row in zip(places, swept, strict=True)
        ],
        "shares": shares(run, cells.axes) if run.diverged.any() else {},
        "provenance": provenance_rows(run),
    }


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
