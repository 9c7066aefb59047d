"""A run may be stopped at any moment, and the disk may be full: begun again, it ends with the same results."""

from __future__ import annotations

import errno
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratemlx.errors import ResultError
from ratemlx.store import files
from ratemlx.store.digest import database_digest
from tests.house.sources import CHECKOUT
from tests.store.crash import SCENARIOS, fresh
from tests.store.runs import compute, grid, open_store


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_stopped_before_any_operation_and_killed_at_any_moment(scenario: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.crash", scenario], cwd=CHECKOUT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    stops, kills = map(int, re.findall(r"\d+", done.stdout))
    assert stops >= 10
    assert kills >= 10 or scenario != "fresh"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("expected")
    fresh(folder)
    return database_digest(folder)


def test_a_disk_full_at_any_operation(tmp_path: Path, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for stop in range(1, 200):
        left = [stop]

        def refuse(operation: str, path: Path, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0 and operation not in ("begin", "insert", "commit"):
                raise OSError(errno.ENOSPC, "No space left on device", str(path))

        folder = tmp_path / str(stop)
        with monkeypatch.context() as patched:
            patched.setattr(files, "about_to", refuse)
            assert _fault(folder) in ("", "No space left on device")
            assert list(folder.rglob("*.part")) == []
        if left[0] > 0:
            return
        fresh(folder)
        assert database_digest(folder) == expected
    pytest.fail("more operations than there should be")


def _fault(folder: Path) -> str:
    """The cause that a run's one message names, empty if it gets to its end."""
    try:
        fresh(folder)
    except ResultError as error:
        return error.message.rpartition(": ")[2]
    return ""


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may be larger than 40 KiB: what a quota does, for every process of this one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40 << 10, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_quota_stops_a_run_with_one_message_and_keeps_the_shards(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    points = grid(20, 50)
    store = open_store(tmp_path, points)
    request.getfixturevalue("small_files")
    with pytest.raises(ResultError, match=r"results\.sqlite cannot be written: .*\n  hint: finished batches are kept"):
        compute(store, 50)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    again = open_store(tmp_path, points)
    assert 0 < len(again.pending()) < 1000
    compute(again, 50)
    again.finish()
    other = open_store(tmp_path / "other", points)
    compute(other, 100)
    other.finish()
    assert database_digest(tmp_path) == database_digest(tmp_path / "other")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, where this may be mounted; else a folder, and the tests above stand for it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", folder], capture_output=True)
    yield folder
    if mounted.returncode == 0:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_of_one_megabyte(small_disk: Path) -> None:
    points = grid(40, 200)
    store = open_store(small_disk, points)
    if not small_disk.is_mount():
        return
    with pytest.raises(ResultError, match="cannot be written"):
        compute(store, 200, series=True)
    del store
    with pytest.raises(ResultError, match="cannot be written"):
        compute(open_store(small_disk, points), 200, series=True)
    subprocess.run(["mount", "-o", "remount,size=32M", small_disk], check=True)
    again = open_store(small_disk, points)
    assert 0 < len(again.pending()) < 8000
    compute(again, 500)
    again.finish()
    assert len(again.pending()) == 0
