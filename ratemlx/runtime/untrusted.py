"""Reading files that may be hostile: bounded streams of text, archives without extraction.

No archive is ever unpacked to disk. Knows nothing of what the files mean; the caller says which error to raise.
"""

from __future__ import annotations

import bz2
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ratemlx.errors import RatemlxError
from ratemlx.runtime.arrays import bytes_text

MAX_TEXT_BYTES = 64 << 20
MAX_MEMBERS = 1_000

DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""What zipfile, zlib and bz2 raise on damaged, encrypted or exotic files."""


@contextmanager
def readable(name: str, error: type[RatemlxError]) -> Iterator[None]:
    """Turn failures of the operating system and of decompression into one message about the file `name`."""
    try:
        yield
    except FileNotFoundError as fault:
        raise error(f"{name} does not exist") from fault
    except DAMAGED as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise error(f"{name} cannot be read: {reason or type(fault).__name__}") from fault


def read_text(stream: IO[bytes], name: str, error: type[RatemlxError]) -> str:
    """Text of a stream, decompressed if the name ends in .bz2; refused beyond MAX_TEXT_BYTES while streaming."""
    if name.endswith(".bz2"):
        with bz2.BZ2File(stream) as unpacked:
            return read_text(unpacked, name.removesuffix(".bz2"), error)
    pieces: list[bytes] = []
    left = MAX_TEXT_BYTES
    while piece := stream.read(min(1 << 20, left + 1)):
        left -= len(piece)
        if left < 0:
            raise error(f"{name} is longer than {bytes_text(MAX_TEXT_BYTES)} of text", "store large matrices as .npz")
        pieces.append(piece)
    return b"".join(pieces).decode("utf-8-sig", errors="replace")


def open_archive(path: Path, error: type[RatemlxError]) -> zipfile.ZipFile:
    """Open a zip file whose members all have harmless names; refuses paths that lead out of it."""
    with readable(path.name, error):
        archive = zipfile.ZipFile(path)
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        archive.close()
        raise error(f"{path.name} holds {len(members):,} files, more than the {MAX_MEMBERS:,} supported")
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if ".." in parts or member.filename.startswith(("/", "\\")) or ":" in member.filename:
            archive.close()
            raise error(f"{path.name} holds a file that leads out of it: {member.filename[:100]!r}")
    return archive
