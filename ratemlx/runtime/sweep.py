"""What to sweep: the product of axes, or a table of points, as one column of values per swept parameter.

A sweep is sized before anything is allocated. Knows parameters' names, ranges and scales; nothing of devices.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ratemlx.abi import Manifest, ParameterInfo
from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import Floats, bytes_text
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.parameters import find_parameter

MAX_POINTS = 10**9
MAX_SHOWN = 10**18
MAX_AXIS = 10**6
"""Values of one axis of a grid that a run's folder keeps; a table has its own file."""

Spacing = Literal["linear", "log"]
AxisValues = object
"""A list or array of values, a tuple (start, stop, count), or one number."""


@dataclass(frozen=True, eq=False)
class Axis:
    """A parameter and the values it takes, in order."""

    name: str
    values: Floats


@dataclass(frozen=True, eq=False)
class Sweep:
    """Axes whose product (`kind` grid, last axis fastest) or whose rows (`kind` table) are the instances."""

    kind: Literal["grid", "table"]
    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Swept parameters in the order given."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis of a grid; (points,) of a table; () if nothing is swept."""
        sizes = tuple(len(axis.values) for axis in self.axes)
        return sizes if self.kind == "grid" else sizes[:1]

    @property
    def n_instances(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def fingerprint(self) -> str:
        """A hash of names, values and order."""
        digest = hashlib.blake2b(self.kind.encode(), digest_size=16)
        for axis in self.axes:
            digest.update(axis.name.encode() + b"\0" + axis.values.tobytes())
        return digest.hexdigest()

    def columns(self) -> dict[str, Floats]:
        """One value per instance for every swept parameter, instances in C order of the axes."""
        if self.kind == "table":
            return {axis.name: axis.values for axis in self.axes}
        indices = np.unravel_index(np.arange(self.n_instances), self.shape) if self.axes else ()
        return {axis.name: axis.values[index] for axis, index in zip(self.axes, indices, strict=True)}


def grid(manifest: Manifest, axes: Mapping[str, AxisValues]) -> Sweep:
    """The product of axes in the order given; raises SweepError for what cannot be swept."""
    resolved = [(find_parameter(manifest, name), values) for name, values in axes.items()]
    _check_unique([info.name for info, _ in resolved])
    _check_count(math.prod(_count(values) for _, values in resolved), len(resolved))
    return Sweep("grid", tuple(Axis(info.name, _values(info, values)) for info, values in resolved))


def table(manifest: Manifest, columns: Mapping[str, object]) -> Sweep:
    """A table of points given by its columns, all of one length; raises SweepError."""
    axes = []
    for name, values in columns.items():
        info = find_parameter(manifest, name)
        axes.append(Axis(info.name, _checked(info.name, values)))
    if not axes:
        raise SweepError("the table of points has no columns")
    _check_unique([axis.name for axis in axes])
    lengths = {axis.name: len(axis.values) for axis in axes}
    if len(set(lengths.values())) > 1:
        raise SweepError("columns differ in length: " + ", ".join(f"{name} {n}" for name, n in lengths.items()))
    _check_count(len(axes[0].values), len(axes))
    return Sweep("table", tuple(axes))


def spaced(start: float, stop: float, count: int, spacing: Spacing, name: str) -> Floats:
    """`count` values from start to stop, both included, at equal differences or equal ratios; raises SweepError."""
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise SweepError(f"{name}: the range {start} to {stop} is not finite")
    if count < 1:
        raise SweepError(f"{name}: a range needs at least one point; {count} were asked for")
    _check_count(count)
    if spacing == "log":
        if start <= 0 or stop <= 0:
            raise SweepError(
                f"{name}: a logarithmic range must be above zero; it runs from {start:g} to {stop:g}",
                "write lin:START:STOP:COUNT for equal differences",
            )
        return np.geomspace(start, stop, count)
    return np.linspace(start, stop, count)


def _count(values: AxisValues) -> int:
    """How many points an axis asks for, before they are made."""
    if isinstance(values, tuple) and len(values) == 3 and isinstance(values[2], int | np.integer):
        return max(1, int(values[2]))
    return len(values) if isinstance(values, Sequence | np.ndarray) and np.ndim(values) else 1


def _values(info: ParameterInfo, values: AxisValues) -> Floats:
    if not isinstance(values, tuple):
        return _checked(info.name, values)
    if len(values) != 3 or isinstance(values[2], bool) or not isinstance(values[2], int | np.integer):
        raise SweepError(
            f"{info.name}: a tuple is a range (start, stop, count) whose count is a whole number; this is {values!r}",
            "write values as a list: [...]",
        )
    try:
        start, stop = float(values[0]), float(values[1])
    except (TypeError, ValueError):
        raise SweepError(f"{info.name}: the range {values!r} does not begin with two numbers") from None
    return spaced(start, stop, int(values[2]), info.scale, info.name)


def _checked(name: str, values: object) -> Floats:
    try:
        array = np.atleast_1d(np.array(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise SweepError(f"{name}: the values are not numbers") from None
    if array.ndim != 1:
        raise SweepError(f"{name}: the values have {array.ndim} dimensions; one is expected")
    if not array.size:
        raise SweepError(f"{name}: there are no values")
    if not np.isfinite(array).all():
        raise SweepError(
            f"{name}: value {1 + int(np.flatnonzero(~np.isfinite(array))[0])} (counted from 1) is not finite"
        )
    return array + 0.0  # -0.0 becomes 0.0: equal values must be equal bytes


def check_axes(sweep: Sweep) -> None:
    """Refuse axes that are too long to be kept with a run; raises SweepError."""
    for axis in sweep.axes if sweep.kind == "grid" else ():
        if len(axis.values) > MAX_AXIS:
            raise SweepError(
                f"{axis.name} has {len(axis.values):,} values, more than the {MAX_AXIS:,} that a folder keeps",
                "write the points to a table (--points FILE.npz), or sweep several parameters",
            )


def _check_unique(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SweepError(f"{name} is swept twice")


def _check_count(count: int, axes: int = 1) -> None:
    """Refuse a product whose parameter values alone would not fit: a column each, the index, and copies in sorting."""
    if count > MAX_POINTS:
        points = f"{count:,}" if count < MAX_SHOWN else f"over {MAX_SHOWN:,}"
        raise SweepError(f"the sweep has {points} points, more than the {MAX_POINTS:,} supported")
    needed = 8 * count * (axes + 4)
    free = free_memory()
    if needed > free:
        raise SweepError(
            f"the parameter values of {count:,} points take {bytes_text(needed)}; {bytes_text(free)} are free",
            "sweep in parts",
        )
