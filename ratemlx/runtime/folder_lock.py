"""One process at a time per folder of results: a lock file that names its process and can outlive it harmlessly.

Knows processes and files, nothing of what the folder holds.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ratemlx.errors import ResultError

LOCK_FILE = "run.lock"
_held: set[Path] = set()
"""Locks of this very process: after a restart of a container another process may have had the same number."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, which is created when missing; raises ResultError if one is at work there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = folder.resolve() / LOCK_FILE
        if not _create(lock):
            _remove_stale(lock, folder)
            if not _create(lock):
                raise _in_use(lock, folder)
    except OSError as error:
        raise ResultError(f"results cannot be written to {folder}: {error.strerror}") from error
    _held.add(lock)
    try:
        yield
    finally:
        _held.discard(lock)
        lock.unlink(missing_ok=True)


def _create(lock: Path) -> bool:
    """Whether the lock is ours now; its text comes in one write, so that no reader sees half of it."""
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
    finally:
        os.close(handle)
    return True


def _remove_stale(lock: Path, folder: Path) -> None:
    """Take away the lock of a process that is gone; raises ResultError if it may be alive."""
    before = _read(lock)
    if before is None:
        return
    if not _is_stale(before, lock):
        raise _in_use(lock, folder)
    # Of several that find it stale one alone can rename it, and sees whether it got what it had judged.
    aside = lock.with_name(f".{LOCK_FILE}.{os.getpid()}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return
    if _read(aside) != before:
        aside.rename(lock)
        raise _in_use(lock, folder)
    aside.unlink()


def _read(lock: Path) -> bytes | None:
    try:
        with lock.open("rb") as stream:
            return stream.read(1000)
    except FileNotFoundError:
        return None


def _owner(content: bytes) -> tuple[int, str] | None:
    try:
        data = json.loads(content)
        return int(data["pid"]), str(data["host"])
    except (ValueError, KeyError, TypeError):
        return None


def _is_stale(content: bytes, lock: Path) -> bool:
    """Whether the process of a lock is known to be gone; of another computer's nothing is known."""
    owner = _owner(content)
    if owner is None or owner[1] != socket.gethostname() or owner[0] <= 0:
        return False
    if owner[0] == os.getpid():
        return lock not in _held
    try:
        os.kill(owner[0], 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False


def _in_use(lock: Path, folder: Path) -> ResultError:
    owner = _owner(_read(lock) or b"")
    who = f"process {owner[0]} on {owner[1][:80]!r}" if owner else "a process that is not known"
    return ResultError(
        f"another run is writing to {folder} ({who})",
        f"wait for it, or choose another folder; if that process is gone, delete {folder / LOCK_FILE}",
    )
