"""Compiled kernels in the cache: named by a hash of all that they are made of, and made once, however many processes.

Knows no compiler: what is made, and from what, is the caller's.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ratemlx.errors import DeviceError, KernelError
from ratemlx.resources import INCLUDE
from ratemlx.runtime.cache import cache_folder, replacing, writing_cache

TIMEOUT = 600.0
"""Seconds that one compilation may take."""
POLL = 0.05
SHOWN_LINES = 12
NAME_LENGTH = 40


@dataclass(frozen=True)
class Entry:
    """The place in the cache of what a source is compiled to. `make` writes it and gives what the compiler says of it.

    `compiler` is its name and version.
    """

    path: Path
    compiler: str
    make: Callable[[Path], str]

    def made(self, *, again: bool = False) -> Path:
        """Its path, compiled if it is not there; raises KernelError or DeviceError."""
        return made_once(self.path, self.make, again=again)


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


def made_once(path: Path, make: Callable[[Path], object], *, again: bool = False) -> Path:
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
    """Hold a lock that `path` shares with few others; after TIMEOUT, or where no lock can be had, do without.

    The system takes it back from a process that is killed. Without it nothing breaks: the file appears whole, and the
    same from whichever process.
    """
    bucket = hashlib.blake2b(path.name.encode(), digest_size=1).hexdigest()
    with (cache_folder("locks") / bucket).open("a") as stream:
        if _locked(stream):
            yield
            return
    # Some parallel file systems have no locks. Those of the computer's own serve the processes that are on it.
    own = _own_file(bucket)
    with nullcontext() if own is None else own:
        if own is not None:
            _locked(own)
        yield


def _locked(stream: IO[str]) -> bool:
    """Wait for the lock of an open file, TIMEOUT at most; False where the file system has none."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(POLL)
        except OSError:
            return False
        else:
            break
    return True


def _own_file(name: str) -> IO[str] | None:
    """A file of this user's on a file system of this computer, open, if there can be one."""
    folder = Path(tempfile.gettempdir()) / f"ratemlx-locks-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # Anybody may write there: what another user has put in its place is not used.
        is_own = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
        return (folder / name).open("a") if is_own else None
    except OSError:
        return None


def run_command(command: tuple[str, ...], timeout: float, hint: str) -> subprocess.CompletedProcess[str]:
    """What a command printed; raises DeviceError with `hint` if it cannot be run.

    Raises KernelError if it takes too long or is killed.
    """
    try:
        done = subprocess.run(
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
    if done.returncode < 0:
        number = -done.returncode
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        raise KernelError(f"{command[0]} was ended by {name}", "is memory short? Give the same command again")
    return done


def first_lines(messages: str) -> str:
    """The beginning of a compiler's messages, indented."""
    lines = messages.strip().splitlines()
    more = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    return "\n".join(f"  {line}" for line in [*lines[:SHOWN_LINES], *more])
