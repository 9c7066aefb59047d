"""A cache of the session's own, and a GPU that a fake driver plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ratemlx.runtime.devices.cuda import CudaDevice
from tests.support.fake_cuda import fake_device


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this session's own, so that nothing stale from outside is used and nothing is left behind."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATEMLX_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture
def device() -> Iterator[CudaDevice]:
    """The fake GPU."""
    device = fake_device()
    yield device
    device.close()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the fake GPU does, a line each."""
    path = tmp_path / "log"
    monkeypatch.setenv("FAKE_CUDA_LOG", str(path))
    return path
