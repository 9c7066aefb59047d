"""Arrays that are kept of single instances, with their labels: connectivity, series of the best, BOLD signals.

From batches in memory, or from a run's database. Knows arrays and names; xarray is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemlx.fitness import rank
from ratemlx.fitness.evaluate import TOTAL
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.runtime.places import Places
from ratemlx.store import StoredArray
from ratemlx.store.matrices import BOLD_SUFFIX, FC_NAME, SERIES_NAME, whole

if TYPE_CHECKING:
    import xarray as xr

FITNESS = TOTAL
RANKED = "best_instances"
"""What run.json calls the number of best instances that arrays are kept of."""

ReadArrays = Callable[[str], Sequence[StoredArray]]
"""Gives all arrays of a name in the order of their instances."""


def nothing_kept(_: str) -> Sequence[StoredArray]:
    """Of a run that keeps no arrays."""
    return ()


class Collected:
    """Arrays of batches in memory: of all instances, or of the best `count` for names that are not in `of_all`."""

    def __init__(self, count: int, of_all: Sequence[str]) -> None:
        self._count, self._of_all = count, of_all
        self._kept: list[StoredArray] = []

    def add(self, arrays: Sequence[StoredArray], fitness: Floats | None) -> None:
        """Take in those of a batch; `fitness` (instance,) is of all instances so far, or None without ranking."""
        self._kept += arrays
        if fitness is None:
            return
        ranked = {item.instance for item in self._kept if item.name not in self._of_all}
        numbers = np.array(sorted(ranked), dtype=np.int64)
        best = set(rank(fitness[numbers], numbers, self._count).instances.tolist())
        self._kept = [item for item in self._kept if item.name in self._of_all or item.instance in best]

    def read(self, name: str) -> Sequence[StoredArray]:
        """All arrays of a name."""
        found = sorted((item for item in self._kept if item.name == name), key=lambda item: item.instance)
        return [StoredArray(item.instance, name, item.exposure, item.shape, _values(item)) for item in found]


def _values(item: StoredArray) -> AnyArray:
    return item.values if item.values.ndim > 1 else whole(item.shape, item.values)


@dataclass(frozen=True, eq=False)
class Labels:
    """What arrays of instances are labelled with: `swept` has a column (instance,) for every swept parameter."""

    instances: Int64s
    swept: Mapping[str, tuple[str, AnyArray, Mapping[str, str]]]
    regions: Sequence[str]
    times: Floats
    volume_start: float
    repetition: float

    @cached_property
    def places(self) -> Places:
        """Where each instance is."""
        return Places(self.instances)

    def among(self, arrays: Sequence[StoredArray]) -> list[StoredArray]:
        """Those of some arrays that are of these instances."""
        there = self.places.have(np.array([item.instance for item in arrays], dtype=np.int64))
        return [item for item, chosen in zip(arrays, there, strict=True) if chosen]

    def of(self, numbers: Int64s) -> dict[str, Any]:
        """Coordinates of some instances."""
        places = self.places.of(numbers)
        chosen = {name: (axis, values[places], about) for name, (axis, values, about) in self.swept.items()}
        return {"instance": numbers, **chosen}

    def times_of(self, count: int, *, bold: bool) -> tuple[str, Floats, dict[str, str]]:
        """Times of samples, which are the last of the run, or ends of volumes; ms from the start of the run."""
        values = self.volume_start + self.repetition * np.arange(1, count + 1) if bold else self.times[-count:]
        return "time", np.asarray(values, dtype=np.float64), {"units": "ms"}


def connectivity(arrays: Sequence[StoredArray], labels: Labels) -> xr.DataArray | None:
    """Connectivity (instance, exposure, region, other_region) of the instances that have it; None if there is none."""
    found = _stacked(labels.among(arrays))
    if found is None:
        return None
    import xarray as xr

    numbers, exposures, values = found
    coordinates = {
        **labels.of(numbers),
        "exposure": exposures,
        "region": list(labels.regions),
        "other_region": list(labels.regions),
    }
    axes = ("instance", "exposure", "region", "other_region")
    return xr.DataArray(values, dims=axes, coords=coordinates, name=FC_NAME, attrs={"units": "1"})


def bold_signals(arrays: Sequence[StoredArray], labels: Labels) -> xr.DataArray | None:
    """BOLD signals (instance, exposure, time, region) of the instances that have them; None if there are none."""
    found = _stacked(labels.among([item for item in arrays if item.exposure.endswith(BOLD_SUFFIX)]))
    if found is None:
        return None
    import xarray as xr

    numbers, exposures, values = found
    coordinates = {
        **labels.of(numbers),
        "exposure": exposures,
        "time": labels.times_of(values.shape[2], bold=True),
        "region": list(labels.regions),
    }
    axes = ("instance", "exposure", "time", "region")
    return xr.DataArray(values, dims=axes, coords=coordinates, name="BOLD", attrs={"units": "%"})


def _stacked(arrays: Sequence[StoredArray]) -> tuple[AnyArray, list[str], AnyArray] | None:
    """Numbers, exposures and values (instance, exposure, ...); None unless all instances have all of them."""
    numbers = list(dict.fromkeys(item.instance for item in arrays))
    exposures = list(dict.fromkeys(item.exposure for item in arrays))
    by_place = {(item.instance, item.exposure): item.values for item in arrays}
    if not arrays or len(by_place) < len(numbers) * len(exposures):
        return None
    values = np.stack([np.stack([by_place[number, name] for name in exposures]) for number in numbers])
    return np.array(numbers, dtype=np.int64), exposures, values


def best_instances(read: ReadArrays, metrics: xr.Dataset, labels: Labels, best: Int64s) -> xr.Dataset:
    """The fittest instances, given by their numbers, best first, with all that is kept of them.

    Fitness and its terms are over `instance`, with swept parameters as coordinates; FC_EXPOSURE has (instance, region,
    other_region), series_EXPOSURE (instance, time, region), and series of BOLD signals `volume_time` for `time`.
    """
    import xarray as xr

    places = labels.places.of(best)
    found: dict[str, Any] = {
        str(name): ("instance", item[places].values, item.attrs)
        for name, item in metrics.data_vars.items()
        if str(name).split("_")[0] == FITNESS
    }
    coordinates: dict[str, Any] = {**labels.of(best), "region": list(labels.regions)}
    for name, axes in ((FC_NAME, ("region", "other_region")), (SERIES_NAME, ("time", "region"))):
        arrays = read(name)
        for exposure in dict.fromkeys(item.exposure for item in arrays):
            by_instance = {item.instance: item.values for item in arrays if item.exposure == exposure}
            if not set(best.tolist()) <= set(by_instance):
                continue
            values = np.stack([by_instance[number] for number in best.tolist()])
            bold = exposure.endswith(BOLD_SUFFIX)
            own_axes = ("volume_time", "region") if bold and name == SERIES_NAME else axes
            if name == SERIES_NAME:
                coordinates[own_axes[0]] = (own_axes[0], *labels.times_of(values.shape[1], bold=bold)[1:])
            found[f"{name}_{exposure}"] = (("instance", *own_axes), values)
    if any(name.startswith(FC_NAME) for name in found):
        coordinates["other_region"] = list(labels.regions)
    return xr.Dataset(found, coords=coordinates)
