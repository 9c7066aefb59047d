"""Results as a short table for a terminal: one line per instance, means over time and regions.

Knows results only.
"""

from __future__ import annotations

import numpy as np

from ratemlx.runtime.result import Result
from ratemlx.runtime.series import Quantity, variable_name

MAX_LINES = 20
MAX_NAMES = 10


def result_table(result: Result, most: int = MAX_LINES) -> list[str]:
    """Lines of swept values, mean exposures and status, of the first `most` instances."""
    info = result.info
    swept = [quantity for quantity, _ in info.parameters if quantity.name in info.swept]
    head = ["instance", *(_head(item) for item in swept), *(f"mean {_head(item)}" for item in info.exposures), "status"]
    rows = [_row(result, index, swept) for index in range(min(info.n_instances, most))]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    if info.n_instances > most:
        lines.append(f"... and {info.n_instances - most:,} more instances")
    return lines


def diverged_remark(result: Result) -> tuple[str, ...]:
    """A remark that names the instances that left the finite numbers; none if all stayed within them."""
    found = [str(index) for index in result.diverged]
    if not found:
        return ()
    names = ", ".join(found[:MAX_NAMES]) + (", ..." if len(found) > MAX_NAMES else "")
    return (f"{len(found):,} of {result.info.n_instances:,} instances diverged: {names}; a smaller dt may help",)


def _head(quantity: Quantity) -> str:
    return quantity.name + (f" ({quantity.unit})" if quantity.unit not in ("", "1") else "")


def _row(result: Result, index: int, swept: list[Quantity]) -> list[str]:
    step = int(result.status.coords["diverged_at"][index])
    values = [f"{float(result.parameters[variable_name(item.name)][index]):.6g}" for item in swept]
    with np.errstate(over="ignore", invalid="ignore"):
        means = result.time_series[index].values.astype(np.float64).mean(axis=(1, 2))
    shown = [f"{mean:.4g}" if step < 0 else "-" for mean in means]
    return [str(index), *values, *shown, "ok" if step < 0 else f"diverged at step {step:,}"]
