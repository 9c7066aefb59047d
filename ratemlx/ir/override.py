"""Give constants of a model other values, before its kernel is generated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ratemlx.errors import SweepError
from ratemlx.ir.model import Model
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
