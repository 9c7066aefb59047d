"""Both devices that every machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.base import Device


@pytest.fixture(params=["cpu", "cuda-emulation"])
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """A CPU, and a GPU as the emulation plays it."""
    opened = open_device(request.param, 1)
    yield opened
    opened.close()


@pytest.fixture
def cpu() -> Iterator[Device]:
    """The CPU."""
    opened = open_device("cpu", 2)
    yield opened
    opened.close()
