"""Every test here runs on every device; without one it is skipped."""

from __future__ import annotations

import pytest

from tests.gpu.runs import devices


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`device` stands for each device of `runs.devices`."""
    if "gpu_device" in metafunc.fixturenames:
        found = devices()
        none = pytest.param("none", marks=pytest.mark.skip(reason="there is no GPU"))
        metafunc.parametrize("gpu_device", found or (none,))
