"""What a static figure shows: which parameters lie on its axes, and at which values the others stand.

Knows cells; nothing of drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.report.cells import Axis, Cells
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s, did_you_mean

ROLES = ("x", "y", "facet")


@dataclass(frozen=True, eq=False)
class View:
    """Places of axes in `cells.axes` by role (None where a role is empty), and levels of the others."""

    cells: Cells
    axis: Mapping[str, int | None]
    fixed: Mapping[int, int]

    def size(self, role: str) -> int:
        """Number of levels along a role."""
        place = self.axis[role]
        return 1 if place is None else self.cells.axes[place].size

    def label(self, role: str) -> str:
        """Name and unit of a role's parameter."""
        place = self.axis[role]
        return "" if place is None else self.cells.axes[place].quantity.label

    def texts(self, role: str) -> tuple[str, ...]:
        """Texts of the levels along a role."""
        place = self.axis[role]
        return ("",) if place is None else self.cells.axes[place].texts

    @property
    def fixed_text(self) -> str:
        """At which values the other parameters stand."""
        return ", ".join(level_text(self.cells.axes[place], level) for place, level in self.fixed.items())

    def cell_places(self) -> tuple[Int64s, tuple[Int64s, ...]]:
        """Cells that are shown, and their (panel, row, column)."""
        levels = self.cells.levels
        shown = np.ones(len(levels), dtype=bool)
        for place, level in self.fixed.items():
            shown &= levels[:, place] == level
        places = np.flatnonzero(shown)
        zero = np.zeros(len(places), dtype=np.int64)
        index = [self.axis[role] for role in ("facet", "y", "x")]
        return places, tuple(zero if place is None else levels[places, place] for place in index)

    def grid(self, metric: int) -> tuple[Floats, AnyArray]:
        """Values (panel, row, column) of a metric, NaN where there are none, and where all instances diverged."""
        shape = (self.size("facet"), self.size("y"), self.size("x"))
        values, lost = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
        places, where = self.cell_places()
        values[where] = self.cells.means[places, metric]
        lost[where] = self.cells.count[places] == self.cells.diverged[places]
        return values, lost


def level_text(axis: Axis, level: int) -> str:
    """A level as an equation."""
    unit = axis.quantity.unit
    return f"{axis.quantity.name} = {axis.texts[level]}{f' {unit}' if unit not in ('', '1') else ''}"


def select(cells: Cells, wanted: Mapping[str, str | None], at: Mapping[str, float], facets: bool = True) -> View:
    """Axes by role as asked for, the next free ones where nothing is; the rest at `at`, else nearest their defaults.

    Raises ResultError for names that are not swept, used twice or given a value although they lie on an axis.
    """
    if not cells.axes:
        raise ResultError("the run varies no parameter, so there is nothing to lay out", "try --kind distribution")
    names = [axis.quantity.name for axis in cells.axes]
    for item in (*wanted.values(), *at):
        if item and item not in names:
            raise ResultError(f"{item} is not swept in this run", did_you_mean(item, names))
    given = [name for name in wanted.values() if name]
    if len(set(given)) < len(given) or set(given) & set(at):
        raise ResultError("a parameter can have one place only: an axis, the panels, or a value")
    free = [place for place, name in enumerate(names) if name not in given and name not in at]
    axis: dict[str, int | None] = {}
    for role in ROLES:
        name = wanted.get(role)
        takes_next = free and (role != "facet" or (facets and cells.axes[free[0]].size <= 12))
        axis[role] = names.index(name) if name else (free.pop(0) if takes_next else None)
    used = {place for place in axis.values() if place is not None}
    fixed = {place: _level(cells.axes[place], at) for place in range(len(names)) if place not in used}
    return View(cells, axis, fixed)


def _level(axis: Axis, at: Mapping[str, float]) -> int:
    """The level nearest to what is asked for, or to the default, or in the middle."""
    name = axis.quantity.name
    if name in at:
        level = int(np.abs(axis.values - at[name]).argmin())
        as_told = f"{at[name]:g}" == axis.texts[level]
        if not (axis.binned or as_told or np.isclose(axis.values[level], at[name], rtol=1e-6)):
            raise ResultError(f"the sweep has no {name} = {at[name]:g}", f"it has {', '.join(axis.texts)}")
        return level
    default = axis.quantity.default
    return (axis.size - 1) // 2 if default is None else int(np.abs(axis.values - default).argmin())


def parse_at(texts: list[str]) -> dict[str, float]:
    """NAME=VALUE, several times; raises ResultError."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ResultError(f"{text} is not of the form NAME=VALUE", "for example --at conduction_speed=3")
    return found
