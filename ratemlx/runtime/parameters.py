"""Parameters as a user meets them: names, defaults, ranges, overrides; one value per instance of each.

Knows the manifest and a sweep's columns; nothing of devices. The conduction speed is a parameter here like any other,
under the model's own name for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ratemlx.abi import Manifest, ParameterInfo
from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import Floats, Int64s, did_you_mean

CONDUCTION_SPEED = "conduction_speed"
ASSUMED_SPEED = ParameterInfo(
    CONDUCTION_SPEED, 3.0, None, "linear", "mm/ms", "Conduction speed along the tracts (the model states none)"
)


def speed_parameter(manifest: Manifest) -> ParameterInfo:
    """The conduction speed as the model declares it, or 3 mm/ms for a model that says nothing."""
    return manifest.conduction_speed or ASSUMED_SPEED


def sweepable(manifest: Manifest) -> dict[str, ParameterInfo]:
    """All parameters by name, conduction speed included."""
    speed = speed_parameter(manifest)
    return {item.name: item for item in (*manifest.parameters, speed)}


def find_parameter(manifest: Manifest, name: str) -> ParameterInfo:
    """The parameter called `name`; `conduction_speed` also finds a speed of another name. Raises SweepError."""
    known = sweepable(manifest)
    if name == CONDUCTION_SPEED:
        return speed_parameter(manifest)
    if name in known:
        return known[name]
    if name in {item.name for item in manifest.constants}:
        raise SweepError(
            f"{name} is a constant of {manifest.model} and cannot be swept",
            f"set it for all instances with --set {name}=VALUE, or declare it as a Parameter",
        )
    raise SweepError(f"{manifest.model} has no parameter {name!r}", did_you_mean(name, known))


@dataclass(frozen=True, eq=False)
class ParameterTable:
    """Values of every parameter by name, each an array over instances (float64; constant ones take no memory)."""

    columns: Mapping[str, Floats]
    swept: tuple[str, ...]
    speed_name: str

    @property
    def n_instances(self) -> int:
        """Number of instances."""
        return len(self.columns[self.speed_name])

    @property
    def speeds(self) -> Floats:
        """Conduction speed of each instance, mm/ms."""
        return self.columns[self.speed_name]

    def rows(self, names: tuple[str, ...], instances: Int64s) -> Floats:
        """Values of shape (instance, name) for some instances."""
        return np.stack([self.columns[name][instances] for name in names], axis=-1) if names else np.empty((0, 0))


def parameter_table(
    manifest: Manifest, swept: Mapping[str, Floats], n_instances: int, fixed: Mapping[str, float]
) -> ParameterTable:
    """Swept columns, fixed values and defaults put together; raises SweepError for a speed that is not positive."""
    speed = speed_parameter(manifest).name
    columns: dict[str, Floats] = {}
    for name, info in sweepable(manifest).items():
        if name in swept:
            columns[name] = swept[name]
        else:
            columns[name] = np.broadcast_to(np.float64(fixed.get(name, info.default)), (n_instances,))
    slowest = float(columns[speed].min())
    if not slowest > 0:
        raise SweepError(f"{speed} must be above zero; it is {slowest:g} mm/ms")
    return ParameterTable(columns, tuple(swept), speed)


def split_overrides(manifest: Manifest, given: Mapping[str, object]) -> tuple[dict[str, float], dict[str, float]]:
    """Overrides (`--set`, `params=`) as values of parameters and values of constants; raises SweepError."""
    parameters = sweepable(manifest)
    constants = {item.name: item.value for item in manifest.constants}
    fixed: dict[str, float] = {}
    compiled: dict[str, float] = {}
    for name, value in given.items():
        number = one_number(name, value)
        if name in constants and name not in parameters:
            if number != constants[name]:
                compiled[name] = number
        elif name in parameters or name == CONDUCTION_SPEED:
            fixed[find_parameter(manifest, name).name] = number
        else:
            raise SweepError(
                f"{manifest.model} has no parameter or constant {name!r}", did_you_mean(name, [*parameters, *constants])
            )
    return fixed, compiled


def one_number(name: str, value: object) -> float:
    """A setting as one finite number, which equal values for all regions are too; raises SweepError."""
    if isinstance(value, np.ndarray | list | tuple) and len(set(np.ravel(value).tolist())) == 1:
        value = np.ravel(value)[0].item()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Real):
        raise SweepError(f"{name}: one number is expected", f"to vary it between instances: sweep {name}")
    number = float(value)
    if not math.isfinite(number):
        raise SweepError(f"{name} must be finite; it is {number}")
    return number


def outside_range(manifest: Manifest, table: ParameterTable) -> tuple[str, ...]:
    """Remarks on values that leave the range a model states; such values are allowed."""
    remarks = []
    for name, info in sweepable(manifest).items():
        if info.range is None:
            continue
        low, high = float(table.columns[name].min()), float(table.columns[name].max())
        if low < info.range[0] or high > info.range[1]:
            values = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            remarks.append(f"{name} = {values} leaves the model's range of {info.range[0]:g} to {info.range[1]:g}")
    return tuple(remarks)
