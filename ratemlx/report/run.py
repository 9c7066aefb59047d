"""What a report knows of a run, wherever its data come from: the sweep, columns of numbers, traces, matrices.

Knows no file format: `database` and `series` fill this in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s

TRACES = "time traces"
METRICS_REMEDY = "run the sweep again with --metrics table2"


@dataclass(frozen=True)
class Quantity:
    """A column of numbers: a parameter or a metric. `exposure` is empty where it concerns none; `family` names what
    works out a metric together with others."""

    name: str
    unit: str
    description: str
    exposure: str = ""
    default: float | None = None
    family: str = ""

    @property
    def label(self) -> str:
        """Its name with its unit, if it has one."""
        return f"{self.name} ({self.unit})" if self.unit not in ("", "1") else self.name


@dataclass(frozen=True)
class Sweep:
    """One command that instances came from; a run that was enlarged has several.

    `names` are what it varies, in its order; `axes` have their values where these make a grid.
    """

    first_instance: int
    n_instances: int
    kind: str
    axes: Mapping[str, Sequence[Any]]
    command: str
    date: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trace:
    """Series of one instance: values of shape (exposure, line, time), NaN where not finite; the first line is the
    mean over regions, the others are single regions."""

    instance: int
    values: AnyArray


@dataclass(frozen=True)
class TraceSet:
    """Traces with what their axes are; `start` and `stop` bound the times (ms), `lines` name what is drawn."""

    start: float
    stop: float
    exposures: tuple[Quantity, ...]
    lines: tuple[str, ...]
    traces: tuple[Trace, ...]
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """A square matrix over regions, such as the functional connectivity of one exposure of an instance."""

    instance: int
    name: str
    exposure: str
    values: AnyArray


@dataclass(frozen=True)
class Part:
    """Something that a run may lack: what it is, and how to get it."""

    name: str
    remedy: str


NO_TRACES = TraceSet(0.0, 0.0, (), (), ())


@dataclass(frozen=True, eq=False)
class Run:
    """A run as a report sees it.

    `read` gives columns by name as an array (instance, column) in the order of `instances`, NaN where there is no
    number; `traces` gives reduced series of the instances it is asked for, as many as there are; `matrices` those of
    some instances, and `references` those that belong to no instance.
    """

    folder: Path
    model: str
    provenance: Mapping[str, Any]
    sweeps: tuple[Sweep, ...]
    parameters: tuple[Quantity, ...]
    swept: tuple[str, ...]
    metrics: tuple[Quantity, ...]
    regions: tuple[str, ...]
    instances: Int64s
    seeds: Int64s
    diverged_at: Int64s
    read: Callable[[Sequence[str]], Floats] = field(repr=False)
    traces: Callable[[Sequence[int]], TraceSet] = field(repr=False)
    traced: Int64s
    matrices: Callable[[Sequence[int]], tuple[Matrix, ...]] = field(repr=False)
    references: tuple[Matrix, ...] = ()
    missing: tuple[Part, ...] = ()

    @property
    def swept_parameters(self) -> tuple[Quantity, ...]:
        """The parameters that the sweep varies, in its order."""
        known = {item.name: item for item in self.parameters}
        return tuple(known[name] for name in self.swept)

    @property
    def diverged(self) -> AnyArray:
        """Of every instance whether it left the finite numbers."""
        flags: AnyArray = self.diverged_at >= 0
        return flags

    def metric(self, name: str | None) -> Quantity:
        """A metric by name, the first one without; raises ResultError with the nearest names."""
        from ratemlx.runtime.arrays import did_you_mean

        if not self.metrics:
            raise ResultError("the run holds no metrics", "run it with --metrics")
        for item in self.metrics:
            if name in (None, item.name):
                return item
        raise ResultError(f"no metric is called {name}", did_you_mean(str(name), [item.name for item in self.metrics]))


def columns_by_groups(run: Run, names: Sequence[str], most_bytes: int = 1 << 28) -> Iterator[tuple[str, Floats]]:
    """Columns one after the other, read together as many at a time as fit the memory."""
    size = max(1, most_bytes // max(1, 8 * len(run.instances)))
    for first in range(0, len(names), size):
        group = names[first : first + size]
        values = run.read(group)
        for position, name in enumerate(group):
            yield name, np.ascontiguousarray(values[:, position])


def remembered(run: Run, most_bytes: int = 1 << 30) -> Run:
    """The run with its columns kept in memory once they were read, if all of them fit."""
    names = [*run.swept, *(item.name for item in run.metrics)]
    if 8 * len(names) * len(run.instances) > most_bytes:
        return run
    kept: dict[str, Floats] = {}

    def read(wanted: Sequence[str]) -> Floats:
        if any(name not in kept for name in wanted):
            new = [name for name in dict.fromkeys((*names, *wanted)) if name not in kept]
            kept.update(zip(new, run.read(new).T, strict=True))
        return np.stack([kept[name] for name in wanted], axis=1) if wanted else np.empty((len(run.instances), 0))

    return replace(run, read=read)
