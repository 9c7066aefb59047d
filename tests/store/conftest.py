"""Where the tests of the store write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.crash import memory


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory where there is such a file system: thousands of waits for a disk that others use take minutes."""
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        yield Path(folder)
