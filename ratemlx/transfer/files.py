"""Coefficient files: a JSON object of a transfer function's coefficients, numbers or lists of numbers."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

from ratemlx.errors import PluginError
from ratemlx.transfer.base import Coefficient, TransferFunction

MAX_BYTES = 1_000_000


def exact(value: float) -> Fraction:
    """The number as it is written in decimals, so that 0.1 is a tenth."""
    return Fraction(repr(float(value)))


def read_coefficients(folder: Path, name: str, function: TransferFunction) -> dict[str, tuple[float, ...]]:
    """The coefficients in a file of a model's folder, as tuples.

    Raises PluginError for what is not a coefficient of the function, and for a file that lies, or that a link leads,
    outside the folder.
    """
    path = folder / name
    content = _load(path, folder)
    if not isinstance(content, dict):
        raise PluginError(f"{path.name} is not a JSON object", 'as in {"P": [0.1, 0.2], "g_L": 10}')
    known = {item.name: item for item in function.coefficients}
    for name in content:
        if name not in known:
            hint = f"its coefficients are {', '.join(known)}" if known else "it has no coefficients"
            raise PluginError(f"{path.name}: transfer function '{function.name}' has no coefficient '{name}'", hint)
    return {name: _values(path, known[name], value) for name, value in content.items()}


def _load(path: Path, folder: Path) -> object:
    try:
        return json.loads(_read(path, folder).decode("utf-8"), object_pairs_hook=_without_repetition)
    except (OSError, UnicodeDecodeError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else "it cannot be read"
        raise PluginError(f"coefficient file {path.name}: {reason}", "the path counts from the model's file") from error
    except json.JSONDecodeError as error:
        raise PluginError(f"{path.name}:{error.lineno}:{error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise PluginError(f"{path.name} is no usable JSON: it is nested too deeply") from error
    except ValueError as error:
        raise PluginError(f"{path.name} is no usable JSON: {error}") from error


def _read(path: Path, folder: Path) -> bytes:
    """The bytes of a plain file: never a device or a pipe, which might have no end."""
    try:
        place = path.resolve(strict=True)
    except RuntimeError as error:
        raise OSError(f"{path.name} is a link that leads to itself") from error
    if not place.is_relative_to(folder.resolve()):
        raise PluginError(f"coefficient file {path.name} lies outside the model's folder", "copy it beside the model")
    if not place.is_file():
        raise PluginError(f"coefficient file {path.name}: it is not a plain file")
    with place.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PluginError(f"{path.name} is larger than {MAX_BYTES:,} bytes")
    return content


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"'{name}' occurs twice")
        found[name] = value
    return found


def _values(path: Path, coefficient: Coefficient, value: object) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) != (coefficient.size is not None) or len(values) != (coefficient.size or 1):
        wanted = "one number" if coefficient.size is None else f"a list of {coefficient.size} numbers"
        raise PluginError(f"{path.name}: coefficient '{coefficient.name}' must be {wanted}")
    numbers = [item for item in values if isinstance(item, int | float) and not isinstance(item, bool)]
    if len(numbers) < len(values):
        raise PluginError(f"{path.name}: coefficient '{coefficient.name}' must consist of numbers")
    if not all(_finite(item) for item in numbers):
        raise PluginError(f"{path.name}: coefficient '{coefficient.name}' must be finite")
    return tuple(float(item) for item in numbers)


def _finite(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
