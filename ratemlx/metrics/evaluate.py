"""Evaluate metrics of recordings: which columns they give, whether a run is long enough, and their values.

Instances are looked at a few at a time, so that memory does not grow with their number. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from ratemlx.errors import MetricError, PluginError, RatemlxError
from ratemlx.metrics.base import Metric, Output
from ratemlx.metrics.blas import one_thread
from ratemlx.metrics.recording import RATE_UNITS, Recording
from ratemlx.runtime.arrays import Floats

T = TypeVar("T")
HOST_BYTES = 64 << 20
DEVICE_BYTES = 4 << 30
"""Working memory for one chunk of instances, on the host and on a device."""

KEPT_BYTES = 31 << 20
"""Just below the largest limit that glibc sets by itself, 32 MiB."""
COPIES = 16
"""Working memory of an instance, in float64 series of its size: an upper bound of what all metrics take."""


@dataclass(frozen=True)
class Column:
    """A column of results: one output of one metric for one exposure."""

    name: str
    metric: str
    output: str
    exposure: str
    unit: str
    description: str
    regional: bool


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Values by column: (instance,), and (instance, region) for regional ones; NaN where a metric is undefined."""

    columns: Mapping[str, Floats]
    regional: Mapping[str, Floats]


def columns(selected: Iterable[Metric], exposures: Mapping[str, str] | Iterable[str]) -> tuple[Column, ...]:
    """The columns that metrics give for exposures, names to units.

    Metrics that are defined for rates only give none for an exposure of another unit. Where only names are given, units
    are unknown, and all metrics give theirs.
    """
    known = isinstance(exposures, Mapping)
    units = dict(exposures) if isinstance(exposures, Mapping) else dict.fromkeys(exposures, "")
    metrics = tuple(selected)
    return tuple(
        _column(item, output, exposure, unit)
        for exposure, unit in units.items()
        for item in metrics
        if not (known and item.needs_rate and unit not in RATE_UNITS)
        for output in item.outputs
    )


def _column(metric: Metric, output: Output, exposure: str, unit: str) -> Column:
    shown = "Hz" if unit in RATE_UNITS else unit
    name = f"{output.name}_{exposure}"
    return Column(name, metric.name, output.name, exposure, output.unit_for(shown), output.description, output.regional)


def check(selected: Iterable[Metric], n_samples: int, period: float) -> None:
    """Raise MetricError, before a run, if a recording of so many samples `period` ms apart is too short."""
    short = [(item.samples_needed(period), item.name) for item in selected]
    short = sorted((needed, name) for needed, name in short if needed > n_samples)
    if short:
        names = ", ".join(f"{name} ({needed * period:g} ms)" for needed, name in short)
        hint = "simulate for longer after the transient, or choose other metrics"
        raise MetricError(f"{n_samples * period:g} ms are too short for the metrics {names}", hint)


class Each(Protocol):
    """Calls a function for every part of something, in any order."""

    def __call__(self, function: Callable[[T], object], parts: Sequence[T]) -> None:
        """Come back when all calls are done; raises what one of them raises."""


def one_by_one(function: Callable[[T], object], parts: Sequence[T]) -> None:
    """Call a function for every part."""
    for part in parts:
        function(part)


def evaluate(
    selected: Sequence[Metric],
    recordings: Mapping[str, Recording],
    *,
    each: Each = one_by_one,
    chunk: int | None = None,
) -> Evaluation:
    """Values of metrics for recordings by exposure, each with the same instances and regions.

    `chunk` instances are looked at together (by default as many as keep working memory within 64 MiB on the host,
    4 GiB on a device); `each` calls a function for every chunk on the host, and may do so on threads. Instances that
    are not finite have NaN everywhere. Raises PluginError for a metric that does not keep its promises, MetricError
    where the series that one needs was not kept.
    """
    _check_agreement(recordings)
    found: dict[str, Floats] = {}
    regional: dict[str, Floats] = {}
    tasks: list[tuple[str, Recording, int, int]] = []
    for exposure, recording in recordings.items():
        for column in columns(selected, {exposure: recording.unit}):
            shape = (recording.n_instances, recording.n_regions) if column.regional else (recording.n_instances,)
            (regional if column.regional else found)[column.name] = np.full(shape, np.nan)
        size = chunk or _chunk(recording)
        starts = range(0, recording.n_instances, size)
        tasks += [(exposure, recording, first, min(first + size, recording.n_instances)) for first in starts]

    def work(task: tuple[str, Recording, int, int]) -> None:
        exposure, recording, first, last = task
        for name, values in _values(selected, recording.take(first, last)).items():
            column = f"{name}_{exposure}"
            (regional if column in regional else found)[column][first:last] = values

    keep_freed_memory()
    with one_thread():
        # Threads would not make a device faster, and each would take its working memory.
        on_host = all(item.xp is np for item in recordings.values())
        (each if on_host else one_by_one)(work, tasks)
    return Evaluation(found, regional)


def keep_freed_memory() -> None:
    """Let glibc keep freed memory of up to 31 MiB instead of giving it back to the system and taking it anew.

    Its limit rises to the size of a large block that is freed (`mallopt`, M_MMAP_THRESHOLD), which is never touched
    here. Without that, the pages of each intermediate are cleared anew: a third of the time of all metrics.
    """
    np.empty(KEPT_BYTES, dtype=np.uint8)


def _check_agreement(recordings: Mapping[str, Recording]) -> None:
    sizes = {(item.n_instances, item.n_regions) for item in recordings.values()}
    if len(sizes) > 1:
        shown = ", ".join(f"{name}: {item.n_instances} x {item.n_regions}" for name, item in recordings.items())
        raise MetricError(f"recordings differ in their numbers of instances and regions ({shown})")


def _chunk(recording: Recording) -> int:
    budget = HOST_BYTES if recording.xp is np else DEVICE_BYTES
    return max(1, budget // max(1, COPIES * 8 * recording.n_samples * recording.n_regions))


def _values(selected: Sequence[Metric], recording: Recording) -> dict[str, Floats]:
    """Values of all outputs that are defined for a recording, on the host, by output name."""
    found: dict[str, Floats] = {}
    for metric in selected:
        fewest = max(metric.samples_needed(recording.period), recording.statistics is None)
        if recording.values is not None and recording.n_samples < fewest:
            continue
        if metric.needs_rate and not recording.is_rate:
            continue
        found |= _evaluated(metric, recording)
    finite = recording.to_host(recording.finite)
    return {
        name: np.where(finite.reshape(-1, *[1] * (values.ndim - 1)) & np.isfinite(values), values, np.nan)
        for name, values in found.items()
    }


def _evaluated(metric: Metric, recording: Recording) -> dict[str, Floats]:
    """All outputs of one metric; raises PluginError, for one that is not built in, whatever goes wrong in it."""
    built_in = metric.function.__module__.startswith("ratemlx.metrics.")
    try:
        # What overflows is not finite, and becomes NaN.
        with np.errstate(all="ignore"):
            found = dict(metric.function(recording))
            return {item.name: _checked(metric, item, recording, found) for item in metric.outputs}
    except RatemlxError:
        raise
    except Exception as error:
        if built_in:
            raise
        raise PluginError(f"metric '{metric.name}' fails: {type(error).__name__}: {error}") from error


def _checked(metric: Metric, output: Output, recording: Recording, found: Mapping[str, object]) -> Floats:
    if output.name not in found:
        raise PluginError(f"metric '{metric.name}' does not return its output '{output.name}'")
    array = found[output.name]
    values = np.asarray(recording.to_host(array) if hasattr(array, "shape") else array, dtype=np.float64)
    shape = (recording.n_instances, recording.n_regions) if output.regional else (recording.n_instances,)
    if values.shape != shape:
        wanted = "(instance, region)" if output.regional else "(instance,)"
        message = f"output '{output.name}' of metric '{metric.name}' has the shape {values.shape}, not {shape}"
        raise PluginError(message, f"it is {wanted}")
    return values
