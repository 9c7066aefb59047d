"""Reads a page that ratemlx wrote, without a browser."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np


def data_of(page: str) -> dict[str, Any]:
    """The object that the scripts draw from."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def unpacked(item: dict[str, Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """An array of the data."""
    kinds = {"f4": "<f4", "u1": "|u1", "u4": "<u4", "i4": "<i4"}
    return np.frombuffer(base64.b64decode(item["data"]), dtype=kinds[item["type"]]).reshape(item["shape"])
