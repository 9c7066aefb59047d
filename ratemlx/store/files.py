"""The few operations on files that the store is made of, so that a process may be stopped before any of them.

Every operation announces itself to `about_to`, which does nothing: tests put a crash there, and try every place. Knows
paths and bytes only.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from ratemlx.errors import ResultError
from ratemlx.runtime.cache import flush_names

TEMPORARY = ".part"
CHUNK = 1 << 20
CHECKSUM_BYTES = 8


def _nothing(operation: str, path: Path) -> None:
    """Nothing."""


about_to: Callable[[str, Path], None] = _nothing
"""Called with the name of an operation and its file, just before it."""


def announce(operation: str, path: Path) -> None:
    """Tell that an operation is next."""
    about_to(operation, path)


class HashedStream:
    """A file that is written once from its beginning to its end, and the checksum of what was written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.blake2b(digest_size=CHECKSUM_BYTES)

    def write(self, data: Any) -> int:
        """Write bytes; gives their number."""
        self._hash.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        self._stream.flush()

    @property
    def checksum(self) -> str:
        """Of everything written until now, in hexadecimal digits."""
        return self._hash.hexdigest()


def write_new(folder: Path, content: Callable[[IO[bytes]], None], name: Callable[[str], str]) -> Path:
    """Write a file whole or not at all; `name` makes its name from the checksum of what `content` wrote.

    When this returns, the file survives a crash of the machine: its bytes are flushed before it gets its name, and its
    name is flushed after. Raises OSError.
    """
    temporary = folder / f".{socket.gethostname()}-{os.getpid()}{TEMPORARY}"
    try:
        announce("create", temporary)
        with temporary.open("wb") as stream:
            hashed = HashedStream(stream)
            content(cast(IO[bytes], hashed))
            announce("flush", temporary)
            stream.flush()
            os.fsync(stream.fileno())
        path = folder / name(hashed.checksum)
        announce("rename", path)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(folder)
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write or replace a file, whole or not at all; raises OSError."""
    write_new(path.parent, lambda stream: _write(stream, data), lambda _: path.name)


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(data)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a crash; file systems that cannot are let be."""
    announce("flush folder", folder)
    flush_names(folder)


def list_anew(folder: Path) -> None:
    """Make this computer ask a network file system what is in a folder: it does after changing something itself."""
    temporary = folder / f".{socket.gethostname()}-{os.getpid()}{TEMPORARY}"
    announce("create", temporary)
    temporary.touch()
    remove(temporary)


def checksum_of(path: Path) -> str:
    """Checksum of a file's content, read piece by piece; raises OSError."""
    found = hashlib.blake2b(digest_size=CHECKSUM_BYTES)
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            found.update(piece)
    return found.hexdigest()


def remove(path: Path) -> None:
    """Delete a file if it is there."""
    announce("remove", path)
    path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Create a folder, and those that it is in, if it is not there."""
    if not path.is_dir():
        announce("make folder", path)
        path.mkdir(parents=True, exist_ok=True)


def move_aside(path: Path, folder: Path) -> Path:
    """Move a file into another folder, beside what is there; gives where it is now."""
    make_folder(folder)
    target = folder / path.name
    copy = 1
    while target.exists():
        copy += 1
        target = folder / f"{path.stem}-{copy}{path.suffix}"
    announce("move aside", path)
    path.rename(target)
    return target


def sweep_up(folder: Path) -> None:
    """Delete what killed processes left half written; only the owner of a run may, while no other process writes."""
    for path in folder.glob(f".*{TEMPORARY}"):
        remove(path)


@contextmanager
def told(action: str, hint: str | None = None) -> Iterator[None]:
    """Turn failures of the operating system into a ResultError that begins with `action`."""
    try:
        yield
    except OSError as error:
        raise ResultError(f"{action}: {error.strerror or error}", hint) from error
