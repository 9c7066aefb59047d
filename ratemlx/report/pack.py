"""Arrays and texts in a form that can stand within a script element: base64 of little-endian numbers, escaped JSON."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from ratemlx.runtime.arrays import AnyArray

TYPES = {"f4": "<f4", "u1": "|u1", "u2": "<u2", "u4": "<u4", "i4": "<i4"}
ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\u2028\u2029"}


def packed(array: AnyArray, kind: str) -> dict[str, Any]:
    """An array as {"type", "shape", "data"}; `kind` is a key of TYPES. Values too large for float32 become infinite."""
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(array, dtype=np.dtype(TYPES[kind])).tobytes()
    return {"type": kind, "shape": list(array.shape), "data": base64.b64encode(data).decode("ascii")}


def number(value: float | None) -> float | None:
    """A number that JSON has, None otherwise."""
    return None if value is None or not math.isfinite(value) else float(value)


def script_json(data: Any) -> str:
    """JSON without any character that could end the element it stands in, or begin another."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(ESCAPES)
