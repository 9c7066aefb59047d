"""Names for the array types of the runtime, and how numbers and bytes are told to people."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint32]
AnyArray: TypeAlias = NDArray[Any]


def bytes_text(count: float) -> str:
    """A number of bytes for people: 1536 -> "1.5 KiB"."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = 0
    while count >= 1024 and power < len(units) - 1:
        count /= 1024
        power += 1
    return f"{count:.0f} {units[power]}" if power == 0 else f"{count:.1f} {units[power]}"


def seconds_text(seconds: float) -> str:
    """A duration for people: 0.4 -> "under 1 s", 75 -> "1 min 15 s"."""
    if seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours / 24:.1f} days"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the closest known ones, or all of them."""
    names = list(known)
    close = get_close_matches(name, names, n=2, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(names)}" if names else "there are none"
