"""Give constants of a model other values: the model is built anew, so that they shape its kernels like its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ratemlx.errors import SweepError
from ratemlx.ir.model import Model
from ratemlx.ir.names import element


def constant_names(model: Model) -> dict[str, int]:
    """Names under which constants can be set, with their number of values: 1, or the length of a vector."""
    sizes: dict[str, int] = {}
    for item in model.constants:
        name, bracket, _ = item.name.partition("[")
        sizes[name] = sizes.get(name, 0) + 1 if bracket else 1
    return sizes


def with_constants(model: Model, values: Mapping[str, float | Sequence[float]]) -> Model:
    """The model with other values of some constants: a number each, or as many numbers as a vector has.

    Raises SweepError for a value that is not finite or of another length, and KeyError for an unknown name.
    """
    sizes = constant_names(model)
    chosen: dict[str, float] = {}
    for name, value in values.items():
        chosen |= _elements(name, value, sizes[name], f"{name}[0]" in {item.name for item in model.constants})
    constants = tuple(replace(item, value=chosen.get(item.name, item.value)) for item in model.constants)
    return replace(model, constants=constants)


def _elements(name: str, value: float | Sequence[float], size: int, vector: bool) -> dict[str, float]:
    numbers = [float(value)] if isinstance(value, (int, float)) else [float(item) for item in value]
    if len(numbers) != size:
        wanted = "one number" if size == 1 else f"{size} numbers"
        raise SweepError(f"constant {name} takes {wanted}, not {len(numbers)}")
    if not all(map(math.isfinite, numbers)):
        raise SweepError(f"constant {name} must be finite")
    return {element(name, place) if vector else name: number for place, number in enumerate(numbers)}
