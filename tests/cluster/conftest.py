"""A Slurm of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.slurm import Slurm, slurm


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    """Two nodes with two GPUs each, which are none."""
    with slurm() as running:
        yield running
