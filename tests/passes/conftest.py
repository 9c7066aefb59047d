"""Small models for tests of the passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.ir.model import Model
from ratemlx.load import load

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def small() -> Model:
    """A model with a transfer function, a conditional, a constant that is 1 and one that is 0."""
    return load(HERE / "small.xml")


@pytest.fixture(scope="session")
def adex() -> Model:
    return load("adex")
