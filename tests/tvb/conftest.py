"""Generated TVB modules, imported once per session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from ratemlx.ir.model import Model
from ratemlx.load import load
from tests.tvb.simulation import imported


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where modules are written."""
    return tmp_path_factory.mktemp("tvb")


@pytest.fixture(scope="session")
def module(folder: Path) -> Callable[[str], ModuleType]:
    """The module of a shipped model, by its name."""

    @cache
    def of(name: str) -> ModuleType:
        return imported(load(name), folder)

    return of


@pytest.fixture
def module_of(folder: Path) -> Callable[[Model], ModuleType]:
    """The module of any model."""
    return lambda model: imported(model, folder)
