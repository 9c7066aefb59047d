"""Whether a run as its user describes it is made of numbers where numbers belong, and fits the type of the kernel.

Callers in Python may pass anything at all; what passes here can be computed with. Knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from ratemlx.abi import HISTORY_CODES, INTEGRATORS
from ratemlx.errors import DeviceError, SweepError
from ratemlx.runtime.arrays import did_you_mean
from ratemlx.runtime.devices.cuda_architecture import parse_architecture
from ratemlx.runtime.devices.names import CPU, parse_device
from ratemlx.runtime.plan import ITEM_BYTES

if TYPE_CHECKING:
    from ratemlx.runtime.spec import Job, RunSpec


def as_mapping(name: str, value: object) -> Mapping[str, object]:
    """A mapping from names, empty for None; raises SweepError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise SweepError(f"{name} must be a mapping from names to values; it is {value!r}")
    return value


def check_spec(spec: RunSpec) -> None:
    """Raise SweepError for a value of the wrong kind, and for a choice that does not exist; DeviceError for a GPU's."""
    for name in ("duration", "dt", "period"):
        value = getattr(spec, name)
        if isinstance(value, bool) or not isinstance(value, Real):
            raise SweepError(f"{name} must be a number; it is {value!r}")
    for name in ("threads", "lanes", "batch_size"):
        value = getattr(spec, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise SweepError(f"{name} must be a whole number; it is {value!r}")
    for name in ("normalization", "device"):
        if not isinstance(getattr(spec, name), str):
            raise SweepError(f"{name} must be a name; it is {getattr(spec, name)!r}")
    for name in ("sweep", "params", "initial", "stimuli"):
        as_mapping(name, getattr(spec, name))
    if spec.observe is not None and not all(isinstance(name, str) for name in spec.observe):
        raise SweepError(f"observe must be names of exposures; it is {spec.observe!r}")
    _check_choices(spec)


def _check_choices(spec: RunSpec) -> None:
    for name, value, known in (
        ("precision", spec.precision, tuple(ITEM_BYTES)),
        ("integrator", spec.integrator, INTEGRATORS),
        ("history", spec.history or "float32", tuple(HISTORY_CODES)),
    ):
        if value not in known:
            raise SweepError(f"unknown {name} {value!r}", did_you_mean(str(value), known))
    if isinstance(spec.seed, bool) or not isinstance(spec.seed, Integral) or not 0 <= spec.seed < 2**64:
        raise SweepError(f"the seed must be a whole number from 0 to 2^64 - 1; it is {spec.seed!r}")
    if spec.arch is not None:
        parse_architecture(spec.arch)
        # An emulation takes any: it stands in for GPUs where a job is only checked.
        if parse_device(spec.device).kind == CPU:
            raise DeviceError(
                f"{spec.arch} is the architecture of GPUs, and {spec.device} is none", "add --target cuda"
            )
    if spec.lanes is not None and not (0 < spec.lanes <= 1024 and spec.lanes & (spec.lanes - 1) == 0):
        raise SweepError(f"lanes must be a power of two up to 1024; they are {spec.lanes}")


def check_fits(job: Job) -> None:
    """Raise SweepError for a parameter, a constant or a start that the kernel's type of numbers cannot hold."""
    largest = float(np.finfo(job.dtype).max)
    starts = zip((f"the start of {item.name}" for item in job.manifest.state_variables), job.initial, strict=True)
    for name, values in (*job.parameters.columns.items(), *job.constants.items(), *starts):
        low, high = float(np.min(values)), float(np.max(values))
        value = high if high > -low else low
        if abs(value) > largest:
            raise SweepError(f"{name} = {value:g} does not fit {job.dtype}", "compute in float64, or use other units")
