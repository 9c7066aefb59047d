"""One process at a time per folder of results: a lock file that names its process and can outlive it harmlessly.

What a killed process leaves is taken over where it is certain that the process is gone: on the same computer, and in a
job that Slurm has requeued. Nothing is certain of another computer, so there a user decides, by what the message says:
which job it was, and how long ago the lock was last touched, which its owner does every minute.

Knows processes and files, nothing of what the folder holds.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.runtime.stopping import shielded

LOCK_FILE = "run.lock"
BEAT_SECONDS = 60.0
"""How often the owner touches its lock."""
PATIENCE_SECONDS = 3.0
"""How long a process of this computer may take to end: mpirun can be gone before the ranks that it killed."""
SILENT_SECONDS = 10 * BEAT_SECONDS
"""A lock that was not touched for so long is said to be so; clocks of computers differ by less."""
_held: set[Path] = set()
"""Locks of this very process: after a restart of a container another process may have had the same number."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, which is created when missing; raises ResultError if one is at work there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = folder.resolve() / LOCK_FILE
        patience = time.monotonic() + PATIENCE_SECONDS
        while not _create(lock):
            if _remove_stale(lock):
                continue
            if time.monotonic() > patience or not _may_be_ending(lock):
                raise _in_use(lock, folder)
            time.sleep(0.05)
        _sweep_up(lock)
    except OSError as error:
        raise ResultError(f"results cannot be written to {folder}: {error.strerror}") from error
    _held.add(lock)
    over = threading.Event()
    threading.Thread(target=_beat, args=(lock, over), name="ratemlx-lock", daemon=True).start()
    try:
        yield
    finally:
        with shielded():
            over.set()
            _held.discard(lock)
            # Somebody may have thought us gone, deleted our lock, and made another.
            if _owner(_read(lock) or b"") == _own():
                lock.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Owner:
    """A process: `began` tells it from another one of the same number, `job` and `restarts` are Slurm's."""

    pid: int
    host: str
    began: int | None = None
    job: int | None = None
    restarts: int = 0

    def __str__(self) -> str:
        job = "" if self.job is None else f", job {self.job}"
        return f"process {self.pid} on {self.host[:80]!r}{job}"


def _own(environment: Mapping[str, str] = os.environ) -> _Owner:
    job, restarts = (environment.get(name, "") for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT"))
    return _Owner(
        os.getpid(),
        socket.gethostname(),
        _began(os.getpid()),
        int(job) if job.isdecimal() else None,
        int(restarts) if restarts.isdecimal() else 0,
    )


def _began(pid: int) -> int | None:
    """When a process of this computer began, in ticks since it was started; None where that is not told.

    Of one that has ended and waits for its parent to notice, it is -1.
    """
    try:
        # The name of the program, in parentheses, may hold anything.
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return -1 if told[0] in "ZX" else int(told[19])
    except (OSError, ValueError, IndexError):
        return None


def _beat(lock: Path, over: threading.Event) -> None:
    while not over.wait(BEAT_SECONDS):
        with suppress(OSError):
            os.utime(lock)


def _create(lock: Path) -> bool:
    """Whether the lock is ours now. It appears with its text: a kill between the two would leave it nameless."""
    written = lock.with_name(f".{lock.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        written.write_text(json.dumps(asdict(_own())), encoding="utf-8")
        try:
            os.link(written, lock)
        except FileExistsError:
            return False
        except OSError:
            return _create_without_links(lock)
        return True
    finally:
        written.unlink(missing_ok=True)


def _create_without_links(lock: Path) -> bool:
    """The same where a file system has no links: the text comes in one write, right after the file."""
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(handle, json.dumps(asdict(_own())).encode())
    finally:
        os.close(handle)
    return True


def _remove_stale(lock: Path) -> bool:
    """Take away the lock of a process that is gone; False if it may be alive."""
    before = _read(lock)
    if before is None:
        return True
    if not _is_stale(before, lock):
        return False
    # Of several that find it stale one alone can rename it, and sees whether it got what it had judged.
    aside = lock.with_name(f".{LOCK_FILE}.{os.getpid()}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return True
    taken_wrongly = _read(aside) != before
    if taken_wrongly:
        # Where a third process has made one meanwhile, that one holds.
        with suppress(OSError):
            os.link(aside, lock)
    aside.unlink(missing_ok=True)
    return not taken_wrongly


def _sweep_up(lock: Path) -> None:
    """Remove what processes have left that were killed while they made a lock, or took one over."""
    for path in lock.parent.glob(f".{lock.name}.*"):
        content = _read(path)
        if _is_stale(content, path) if content else _silent_seconds(path) > SILENT_SECONDS:
            path.unlink(missing_ok=True)


def _may_be_ending(lock: Path) -> bool:
    """Whether it is another process of this computer that holds the lock."""
    owner = _owner(_read(lock) or b"")
    return owner is not None and owner.host == socket.gethostname() and owner.pid != os.getpid()


def _read(lock: Path) -> bytes | None:
    try:
        with lock.open("rb") as stream:
            return stream.read(1000)
    except FileNotFoundError:
        return None


def _owner(content: bytes) -> _Owner | None:
    try:
        data = json.loads(content)
        began, job = (None if data.get(name) is None else int(data[name]) for name in ("began", "job"))
        return _Owner(int(data["pid"]), str(data["host"]), began, job, int(data.get("restarts", 0)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_stale(content: bytes, lock: Path) -> bool:
    """Whether the process of a lock is known to be gone."""
    owner, own = _owner(content), _own()
    if owner is None:
        return False
    if owner.job is not None and owner.job == own.job and owner.restarts < own.restarts:
        # Slurm begins a job again when all of its processes have ended, maybe on other computers.
        return True
    if owner.host != own.host or owner.pid <= 0:
        return False
    if owner.pid == own.pid:
        return lock not in _held
    try:
        os.kill(owner.pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    began = _began(owner.pid)
    return began == -1 or (None not in (began, owner.began) and began != owner.began)


def _in_use(lock: Path, folder: Path) -> ResultError:
    owner = _owner(_read(lock) or b"")
    hint = f"wait for it, or choose another folder; if that process is gone, delete {folder / LOCK_FILE}"
    if owner is not None and owner.job is not None:
        hint += f" (squeue --jobs={owner.job} tells whether its job still runs)"
    silent = _silent_seconds(lock)
    if silent > SILENT_SECONDS:
        hint += f"; it seems to be: it was to touch that file every minute, and has not for {silent / 60:,.0f}"
    return ResultError(f"another run is writing to {folder} ({owner or 'a process that is not known'})", hint)


def _silent_seconds(lock: Path) -> float:
    try:
        return time.time() - lock.stat().st_mtime
    except OSError:
        return 0.0
