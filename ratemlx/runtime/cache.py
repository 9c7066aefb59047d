"""Where compiled kernels and generated folders are kept between runs, and how files are replaced without tearing.

Several processes may share the cache at the same time: every file appears whole or not at all.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ratemlx.errors import DeviceError, ResultError

VARIABLE = "RATEMLX_CACHE_DIR"


def cache_folder(kind: str) -> Path:
    """A folder of the user's cache ($RATEMLX_CACHE_DIR, or the system's), created when missing; raises DeviceError."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        folder = Path(chosen).expanduser() / kind
    else:
        from platformdirs import user_cache_path

        folder = user_cache_path("ratemlx", appauthor=False) / kind
    with writing_cache(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def writing_cache(folder: Path) -> Iterator[None]:
    """Turn failures of the operating system in the cache into DeviceError."""
    try:
        yield
    except OSError as error:
        raise DeviceError(
            f"the cache {folder} cannot be written: {error.strerror or error}",
            f"set {VARIABLE} to a folder that can be written",
        ) from error


def check_place(path: Path) -> None:
    """Refuse, before any work, a file whose folder is not there or that is a folder; raises ResultError.

    No command makes the folder of a single file: a slip in its path would leave the file where nobody looks.
    """
    if path.is_dir():
        raise ResultError(f"{path} is a folder", f"name a file in it: {shlex.quote(str(path / 'NAME'))}")
    if not path.parent.is_dir():
        parent = path.parent
        hint = None if parent.exists() else f"correct the path, or make it: mkdir -p {shlex.quote(str(parent))}"
        raise ResultError(f"{parent} is not a folder", hint)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place if the body succeeds, and disappears if it fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; the result gets the permissions that any other new file would.
        temporary.chmod(0o666 & ~_umask())
        _flush(temporary)
        temporary.replace(path)
        # Whoever deletes next what this file was made of must not be overtaken by its name.
        flush_names(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_pattern(name: str) -> str:
    """A glob pattern of what `replacing` leaves beside a file called `name` when its process is killed."""
    return f".{name}.*.tmp"


def flush_names(folder: Path) -> None:
    """Make the names in a folder survive a crash of the machine; file systems that cannot are let be."""
    with suppress(OSError):  # some network file systems refuse, and flush names by themselves
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    """A rename may reach the disk before the contents do; after a power cut the file would be empty."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
