"""Give constants of a model other values, or let them vary between regions, before its kernel is generated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ratemlx.errors import SweepError
from ratemlx.ir.model import Model, Parameter
from ratemlx.ir.names import did_you_mean


def override_constants(model: Model, values: Mapping[str, float]) -> Model:
    """The model with other values of the named constants (`P[3]` for one of a vector); raises SweepError."""
    known = [item.name for item in model.constants]
    for name, value in values.items():
        if name not in known:
            raise SweepError(f"{model.name} has no constant '{name}'", did_you_mean(name, known))
        if not math.isfinite(value):
            raise SweepError(f"the value of constant '{name}' is not finite")
    constants = tuple(replace(item, value=float(values.get(item.name, item.value))) for item in model.constants)
    return replace(model, constants=constants)


def free_constants(model: Model, names: Iterable[str]) -> Model:
    """The model with some constants turned into parameters, which may differ between regions; raises SweepError."""
    chosen = tuple(dict.fromkeys(names))
    known = {item.name: item for item in model.constants}
    for name in chosen:
        if name not in known:
            raise SweepError(f"{model.name} has no constant '{name}'", did_you_mean(name, known))
    new = tuple(
        Parameter(item.name, item.value, None, "linear", item.unit, item.description, item.reference, item.span)
        for item in (known[name] for name in chosen)
    )
    constants = tuple(item for item in model.constants if item.name not in chosen)
    return replace(model, constants=constants, parameters=(*model.parameters, *new))
