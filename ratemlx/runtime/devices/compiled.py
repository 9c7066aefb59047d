"""Compiled kernels in the cache: named by a hash of all that they are made of, and made once, however many processes.

Knows no compiler: what is made, and from what, is the caller's.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ratemlx.errors import DeviceError, KernelError
from ratemlx.resources import INCLUDE
from ratemlx.runtime.cache import cache_folder, replacing, writing_cache

TIMEOUT = 600.0
"""Seconds that one compilation may take."""
POLL = 0.05
SHOWN_LINES = 12
NAME_LENGTH = 40


def source_key(source: Path, choices: Iterable[str]) -> str:
    """A hash of a source, of the headers of the package and of `choices`: flags, definitions, compiler, processor."""
    digest = hashlib.blake2b(digest_size=12)
    try:
        headers = [path for path in sorted(INCLUDE.rglob("*")) if path.is_file()]
        texts = [source.read_bytes(), *(path.read_bytes() for path in headers)]
    except OSError as error:
        raise KernelError(f"{error.filename} cannot be read: {error.strerror}", "generate the folder again") from error
    for part in (*texts, "\0".join(choices).encode()):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def cached_name(source: Path, key: str, suffix: str) -> str:
    """The name in the cache of what a source was compiled to."""
    return f"{source.stem[:NAME_LENGTH]}-{key}{suffix}"


def made_once(path: Path, make: Callable[[Path], None], *, again: bool = False) -> Path:
    """`path`, which `make` writes to a temporary file first if it is not there; `again` makes it even so.

    Processes that share the cache wait for one another instead of making the same thing at the same time.
    """
    if again or not path.exists():
        with writing_cache(path.parent), _one_at_a_time(path):
            if again or not path.exists():
                with replacing(path) as temporary:
                    make(temporary)
    return path


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock that `path` shares with few others; after TIMEOUT, or where locks fail, do without.

    Without it nothing breaks: the file appears whole, and the same from whichever process.
    """
    bucket = hashlib.blake2b(path.name.encode(), digest_size=1).hexdigest()
    with (cache_folder("locks") / bucket).open("a") as stream:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(POLL)
            except OSError:
                break
            else:
                break
        yield


def run_command(command: tuple[str, ...], timeout: float, hint: str) -> subprocess.CompletedProcess[str]:
    """What a command printed; raises KernelError if it takes too long, DeviceError with `hint` if it cannot be run."""
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as error:
        raise KernelError(f"{command[0]} did not finish within {timeout:g} s") from error
    except OSError as error:
        raise DeviceError(f"{command[0]} cannot be run: {error.strerror}", hint) from error


def first_lines(messages: str) -> str:
    """The beginning of a compiler's messages, indented."""
    lines = messages.strip().splitlines()
    more = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    return "\n".join(f"  {line}" for line in [*lines[:SHOWN_LINES], *more])
