"""Reading files that may be hostile: bounded streams, archives without extraction, arrays without pickle.

A file is judged by its header before memory is spent on it, and no archive is ever unpacked to disk. Knows nothing
of what the arrays mean; the caller says which error to raise.
"""

from __future__ import annotations

import bz2
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import IO

import numpy as np

from ratemlx.errors import RatemlxError
from ratemlx.runtime.arrays import AnyArray, bytes_text

MAX_TEXT_BYTES = 64 << 20
MAX_ARRAY_BYTES = 1 << 30
MAX_MEMBERS = 1_000
MAX_LINE = 1 << 20

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


def read_npz(path: Path, error: type[RatemlxError]) -> dict[str, AnyArray]:
    """Arrays of an .npz file by name; refuses pickled objects and arrays whose header claims too much."""
    with readable(path.name, error), open_archive(path, error) as archive:
        arrays = {}
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = _read_array(stream, f"{path.name}: {member}", error)
        return arrays


def read_npy(path: Path, error: type[RatemlxError]) -> AnyArray:
    """The array of an .npy file; refuses pickled objects and headers that claim too much."""
    with readable(path.name, error), path.open("rb") as stream:
        return _read_array(stream, path.name, error)


def _read_array(stream: IO[bytes], name: str, error: type[RatemlxError]) -> AnyArray:
    try:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = header(stream)
    except (ValueError, SyntaxError, MemoryError, RecursionError, OverflowError, TokenError) as fault:
        raise error(f"{name} is not a NumPy array") from fault
    if dtype.hasobject:
        raise error(f"{name} holds pickled Python objects, which could run code", "save plain numbers or text")
    count = 1
    for size in shape:
        count *= size
    size = count * dtype.itemsize
    if min(shape, default=0) < 0 or max(shape, default=0) >= 2**63:
        raise error(f"{name} is not a NumPy array")
    if size > MAX_ARRAY_BYTES:
        raise error(f"{name} is {bytes_text(size)}, more than the {bytes_text(MAX_ARRAY_BYTES)} supported")
    content = stream.read(size)
    if len(content) != size:
        raise error(f"{name} ends after {bytes_text(len(content))} of {bytes_text(size)}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")
