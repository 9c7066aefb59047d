"""Expected results, and a cache of compiled kernels shared by the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ratemlx.store.digest import database_digest
from tests.store.crash import memory
from tests.survival.runs import Sweep, run, save_connectome


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this session's own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATEMLX_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory if there is one: what is tested is the order of operations, not the disk."""
    with TemporaryDirectory(dir=memory()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """24 instances in batches of 5."""
    return Sweep(save_connectome(tmp_path_factory.mktemp("connectome") / "connectome.npz"))


@pytest.fixture(scope="session")
def expected(sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of an uninterrupted run of one process."""
    folder = tmp_path_factory.mktemp("expected") / "run"
    assert run(0, sweep.words(folder)).code == 0
    return database_digest(folder)
