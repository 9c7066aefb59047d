"""Results as a short table for a terminal: one line per instance, with metrics, or means over time and regions.

Knows results only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratemlx.runtime.finishing import KEPT
from ratemlx.runtime.kept_arrays import FITNESS
from ratemlx.runtime.places import Places
from ratemlx.runtime.result import Result
from ratemlx.runtime.series import SETTLED, Quantity, settled, variable_name

MAX_LINES = 20
MAX_NAMES = 10
MAX_METRICS = 4


def result_table(result: Result, most: int = MAX_LINES) -> list[str]:
    """Lines of swept values, metrics or mean exposures, and status, of the first `most` instances."""
    info = result.info
    swept = [quantity for quantity, _ in info.parameters if quantity.name in info.swept]
    head = ["instance", *(_head(item) for item in swept), *_shown_names(result), "status"]
    shown = _shown_values(result, min(info.n_instances, most))
    rows = [_row(result, index, swept, values) for index, values in enumerate(shown)]
    lines = _aligned([head, *rows])
    if info.n_instances > most:
        lines.append(f"... and {info.n_instances - most:,} more instances")
    return lines if result.series is None else [*lines, f"means are over {SETTLED} and over regions"]


def _shown_names(result: Result) -> list[str]:
    """Means of the exposures where there are series, else the first few metrics."""
    if result.series is not None:
        return [f"mean {_head(item)}" for item in result.info.exposures]
    names = _first_metrics(result)
    units = [str(result.metrics[name].attrs.get("units", "")) for name in names]
    return [_head(Quantity(name, unit, "")) for name, unit in zip(names, units, strict=True)]


def _first_metrics(result: Result) -> list[str]:
    """Names of metrics to show: fitness first, no regional ones."""
    names = [str(name) for name, item in result.metrics.data_vars.items() if item.ndim == 1]
    return sorted(names, key=lambda name: not name.startswith("fitness"))[:MAX_METRICS]


def _shown_values(result: Result, count: int) -> list[list[float]]:
    """A row of numbers for each of the first `count` instances."""
    if result.series is None:
        columns = [result.metrics[name][:count].values.tolist() for name in _first_metrics(result)]
        return [[column[index] for column in columns] for index in range(count)]
    chosen = settled(len(result.info.times))
    with np.errstate(over="ignore", invalid="ignore"):
        return [
            result.series[index, :, chosen].values.astype(np.float64).mean(axis=(1, 2)).tolist()
            for index in range(count)
        ]


def best_table(result: Result) -> list[str]:
    """The fittest instances, a line each with parameters and fitness; nothing where a run does not rank them."""
    if FITNESS not in result.metrics:
        return []
    best = result.ranked()
    if not len(best):
        return ["no instance has a fitness"]
    swept = [(quantity, values) for quantity, values in result.info.parameters if quantity.name in result.info.swept]
    terms = _terms(result)
    places = Places(result.info.instances).of(best.instances)
    columns = [
        [str(place) for place in range(1, len(best) + 1)],
        [str(number) for number in best.instances.tolist()],
        *([f"{value:.6g}" for value in values[places]] for _, values in swept),
        *([f"{value:.4f}" for value in result.metrics[name][places].values] for name in (FITNESS, *terms)),
    ]
    head = ["best", "instance", *(_head(item) for item, _ in swept), FITNESS, *terms]
    return _aligned([head, *map(list, zip(*columns, strict=True))])


def _terms(result: Result) -> list[str]:
    """Columns of what fitness is made of, if that is more than one and there is room for them."""
    names = [str(name) for name in result.metrics.data_vars if str(name).startswith(f"{FITNESS}_")]
    return names if 1 < len(names) <= MAX_METRICS else []


def where_the_best_are(result: Result, folder: Path) -> list[str]:
    """How to get at what is kept of the best instances; nothing where a run does not rank them."""
    if FITNESS not in result.metrics:
        return []
    kept = "FC and time series" if result.provenance.get(KEPT) == "best" else "FC"
    return [f"{kept} of the best: ratemlx export {folder} best.nc --table best, or ratemlx.open_result(...).best"]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def diverged_remark(result: Result) -> tuple[str, ...]:
    """A remark that names the instances that left the finite numbers; none if all stayed within them."""
    found = result.diverged
    if not len(found):
        return ()
    names = ", ".join(map(str, found[:MAX_NAMES])) + (", ..." if len(found) > MAX_NAMES else "")
    return (f"{len(found):,} of {result.info.n_instances:,} instances diverged: {names}; a smaller dt may help",)


def _head(quantity: Quantity) -> str:
    return quantity.name + (f" ({quantity.unit})" if quantity.unit not in ("", "1") else "")


def _row(result: Result, index: int, swept: list[Quantity], numbers: list[float]) -> list[str]:
    step = int(result.status.coords["diverged_at"][index])
    values = [f"{float(result.parameters[variable_name(item.name)][index]):.6g}" for item in swept]
    shown = [f"{value:.4g}" if step < 0 else "-" for value in numbers]
    return [str(index), *values, *shown, "ok" if step < 0 else f"diverged at step {step:,}"]
