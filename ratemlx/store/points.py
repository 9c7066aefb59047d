"""Sweeps of one run and the number of every point: a run can be enlarged, and equal points are computed once.

Numbers go on from sweep to sweep: a point's number is the first of its sweep plus its place in it. A point whose
parameters all equal those of an earlier one is an alias, and its instance is the earlier one. Grids are kept as axes,
tables as .npy files in RUN/points. Knows names and values of parameters, not their meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import Bools, Floats, Int64s
from ratemlx.store.equal_points import first_equal
from ratemlx.store.files import checksum_of, make_folder, told, write_new
from ratemlx.store.layout import POINTS

Kind = Literal["grid", "table"]


@dataclass(frozen=True, eq=False)
class Points:
    """One sweep: the product of axes (`kind` grid, last axis fastest) or the rows of columns (`kind` table).

    `fixed` has the value of every other parameter, so that swept and fixed names together are all of the model's.
    """

    kind: Kind
    axes: Mapping[str, Floats]
    fixed: Mapping[str, float]
    command: str = ""
    date: str = ""

    def __post_init__(self) -> None:
        # -0.0 becomes 0.0: equal values must be equal bits.
        axes = {name: np.ascontiguousarray(values, dtype=np.float64) + 0.0 for name, values in self.axes.items()}
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "fixed", {name: float(value) + 0.0 for name, value in self.fixed.items()})

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis of a grid; (points,) of a table; () if nothing is swept."""
        sizes = tuple(len(values) for values in self.axes.values())
        return sizes if self.kind == "grid" else sizes[:1]

    @property
    def count(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    def columns(self, indices: Int64s) -> dict[str, Floats]:
        """Value of every parameter at some points, given by their places in the sweep."""
        places = np.unravel_index(indices, self.shape) if self.shape else ()
        found = {name: np.full(len(indices), value) for name, value in self.fixed.items()}
        for position, (name, values) in enumerate(self.axes.items()):
            found[name] = values[places[position if self.kind == "grid" else 0]]
        return found

    def equals(self, other: Points) -> bool:
        """Whether kind, names, values and their order are the same."""
        return (
            self.kind == other.kind
            and list(self.axes) == list(other.axes)
            and self.fixed == other.fixed
            and all(np.array_equal(values, other.axes[name]) for name, values in self.axes.items())
        )


@dataclass(frozen=True, eq=False)
class Registration:
    """Numbers for the points of one sweep: `instances` of all, and which of them no earlier point has (`new`)."""

    sweep: int
    first: int
    instances: Int64s
    new: Bools


class Registry:
    """All sweeps of a run in order. Sweeps are numbered from 0."""

    def __init__(self, sweeps: tuple[Points, ...] = ()) -> None:
        self.sweeps = sweeps
        self._numbers: tuple[int, Int64s] = (0, np.empty(0, dtype=np.int64))
        self._files: dict[int, str] = {}

    @property
    def firsts(self) -> list[int]:
        """The first number of every sweep, and the first that is free."""
        return list(accumulate((item.count for item in self.sweeps), initial=0))

    @property
    def varied(self) -> tuple[str, ...]:
        """Parameters that differ between points: swept ones in order of appearance, then those set differently."""
        swept = [name for item in self.sweeps for name in item.axes]
        fixed = [name for item in self.sweeps for name, value in item.fixed.items() if value != self._fixed(name)]
        return tuple(dict.fromkeys([*swept, *fixed]))

    def _fixed(self, name: str) -> float | None:
        """Value of a parameter in the first sweep that does not sweep it."""
        return next((item.fixed[name] for item in self.sweeps if name in item.fixed), None)

    def register(self, points: Points) -> Registration:
        """Give numbers to a sweep; one that is known keeps its numbers. Raises ResultError for other parameters."""
        for number, known in enumerate(self.sweeps):
            if known.equals(points):
                return self.registration(number)
        if self.sweeps:
            _check_names(self.sweeps[0], points)
        self.sweeps = (*self.sweeps, points)
        return self.registration(len(self.sweeps) - 1)

    def registration(self, sweep: int) -> Registration:
        """Numbers of the points of a sweep that is known."""
        first, end = self.firsts[sweep : sweep + 2]
        instances = self._canonical()[first:end]
        return Registration(sweep, first, instances, instances == np.arange(first, end))

    def columns(self, instances: Int64s) -> dict[str, Floats]:
        """Value of every parameter of some instances."""
        firsts = self.firsts
        if len(instances) and not 0 <= int(instances.min()) <= int(instances.max()) < firsts[-1]:
            raise ResultError(
                f"instances {instances.min()} to {instances.max()} are not among the {firsts[-1]:,} known"
            )
        # A sweep without points has the same first number as the next one; the last of them is the one that has it.
        sweep_of = np.searchsorted(firsts, instances, side="right") - 1
        found = {name: np.empty(len(instances)) for name in self.parameters}
        for sweep in np.unique(sweep_of).tolist():
            chosen = sweep_of == sweep
            for name, values in self.sweeps[sweep].columns(instances[chosen] - firsts[sweep]).items():
                found[name][chosen] = values
        return found

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return (*self.sweeps[0].fixed, *self.sweeps[0].axes) if self.sweeps else ()

    def _canonical(self) -> Int64s:
        """For every number, the smallest of a point equal to it."""
        known, numbers = self._numbers
        if known != len(self.sweeps):
            numbers = first_equal(self.sweeps)
            self._numbers = len(self.sweeps), numbers
        return numbers

    def to_json(self, folder: Path) -> list[dict[str, Any]]:
        """The sweeps as JSON; tables are written to RUN/points. Raises ResultError."""
        with told(f"results cannot be written to {folder / POINTS}"):
            for sweep, item in enumerate(self.sweeps):
                if item.kind == "table" and sweep not in self._files:
                    self._files[sweep] = _write_table(folder, item)
        return [_to_json(item, self._files.get(sweep, "")) for sweep, item in enumerate(self.sweeps)]

    @classmethod
    def from_json(cls, folder: Path, data: object) -> Registry:
        """The sweeps that run.json tells of; raises ValueError, which says where, for what `to_json` did not write.

        Raises ResultError for a table of points that is damaged.
        """
        if not isinstance(data, list):
            raise ValueError("its sweeps are no list")
        sweeps: list[Points] = []
        for number, item in enumerate(data):
            try:
                sweeps.append(_from_json(folder, item))
            except (KeyError, TypeError, ValueError, AttributeError, EOFError, OverflowError) as error:
                raise ValueError(f"its sweep {number} cannot be understood") from error
            if {*sweeps[-1].fixed, *sweeps[-1].axes} != {*sweeps[0].fixed, *sweeps[0].axes}:
                raise ValueError(f"its sweep {number} has other parameters than the first")
        registry = cls(tuple(sweeps))
        registry._files = {sweep: str(item["file"]) for sweep, item in enumerate(data) if "file" in item}
        return registry


def same_numbers(some: Sequence[Points], others: Sequence[Points]) -> bool:
    """Whether sweeps registered in these two orders give no number to different points: one may go on further."""
    return all(one.equals(other) for one, other in zip(some, others, strict=False))


def _check_names(known: Points, new: Points) -> None:
    before, now = {*known.fixed, *known.axes}, {*new.fixed, *new.axes}
    if before != now:
        raise ResultError(
            f"the run has other parameters: {', '.join(sorted(before ^ now))}",
            "choose another folder, or add --restart",
        )


def _to_json(points: Points, file: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "kind": points.kind,
        "n_instances": points.count,
        "fixed": dict(points.fixed),
        "command": points.command,
        "date": points.date,
    }
    if points.kind == "grid":
        return {**record, "axes": {name: values.tolist() for name, values in points.axes.items()}}
    return {**record, "columns": list(points.axes), "file": file}


def _write_table(folder: Path, points: Points) -> str:
    """Write a table of points under a name that carries its checksum; gives the name."""
    make_folder(folder / POINTS)
    matrix = np.stack(list(points.axes.values()), axis=-1)
    return write_new(
        folder / POINTS,
        lambda stream: np.lib.format.write_array(stream, matrix, allow_pickle=False),
        lambda checksum: f"{checksum}.npy",
    ).name


def _from_json(folder: Path, data: Any) -> Points:
    fixed = {str(name): float(value) for name, value in data["fixed"].items()}
    about = (str(data.get("command", "")), str(data.get("date", "")))
    if data["kind"] == "grid":
        axes = {str(name): np.array(values, dtype=np.float64) for name, values in data["axes"].items()}
        if any(values.ndim != 1 for values in axes.values()):
            raise ValueError("axes have one dimension")
        return Points("grid", axes, fixed, *about)
    matrix = _read_table(folder / POINTS / Path(data["file"]).name)
    names = [str(name) for name in data["columns"]]
    if matrix.ndim != 2 or matrix.shape != (int(data["n_instances"]), len(names)):
        raise ValueError(f"{data['file']} has another shape")
    return Points("table", {name: matrix[:, index] for index, name in enumerate(names)}, fixed, *about)


def _read_table(path: Path) -> Floats:
    with told(f"the points in {path} cannot be read"):
        if checksum_of(path) != path.stem:
            raise ResultError(f"{path} is damaged", "add --restart, with the table of points that it was made from")
        matrix: Floats = np.load(path, allow_pickle=False)
        return matrix
