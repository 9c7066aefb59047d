"""Tools that tests need and that a development machine must have: their lack fails a test, and does not skip it."""

from __future__ import annotations

import pytest

from tests.house.compile_cuda import find_nvcc


def needed_nvcc() -> str:
    """The CUDA compiler."""
    found = find_nvcc()
    if found is None:
        pytest.fail("no nvcc: install the CUDA toolkit under /usr/local/cuda, or put nvcc on the PATH", pytrace=False)
    return found
