"""The headers' functions in every dialect, compiled once."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support.compiled import compiled

Library = Callable[[str, int, str], ctypes.CDLL]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """By dialect (cpp, cuda), lanes and precision."""
    folder: Path = tmp_path_factory.mktemp("functions")

    @cache
    def build(dialect: str, lanes: int, precision: str) -> ctypes.CDLL:
        definitions = {"RATEMLX_LANES": str(lanes)} | ({"RATEMLX_FLOAT64": "1"} if precision == "float64" else {})
        return compiled(folder, dialect, definitions)

    return build
