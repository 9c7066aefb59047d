"""NumPy files that may be hostile: no pickle, and every array is judged by its header before its data are read.

Knows nothing of what the arrays mean; the caller says which it wants, what shapes it takes and which error to raise.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np

from ratemlx.errors import RatemlxError
from ratemlx.runtime.arrays import AnyArray, bytes_text
from ratemlx.runtime.untrusted import open_archive, readable

MAX_ARRAY_BYTES = 1 << 30
MAX_ARCHIVE_BYTES = 2 << 30
"""Arrays of one file together, unpacked: the two matrices of the largest connectome."""
MAX_HEADER = 10_000
"""Characters of a header; plain arrays have about 120."""
SUFFIX = ".npy"

LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
"""Width of a header's length by version of the format."""


@dataclass(frozen=True)
class Header:
    """What an array says of itself before its data."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of data."""
        return math.prod(self.shape) * self.dtype.itemsize


Judge = Callable[[str, Header], None]
"""Raises an error if an array of this name and header is not wanted."""


def accept(name: str, header: Header) -> None:
    """Take any array."""


def read_npz(
    path: Path, error: type[RatemlxError], wanted: Collection[str] | None = None, judge: Judge = accept
) -> dict[str, AnyArray]:
    """Arrays of an .npz file by name, only the `wanted` ones if these are given; refuses pickles and claims of size.

    All headers are judged before the first array is read.
    """
    with readable(path.name, error), open_archive(path, error) as archive:
        members = {
            member.filename.removesuffix(SUFFIX): member
            for member in archive.infolist()
            if member.filename.endswith(SUFFIX) and (wanted is None or member.filename.removesuffix(SUFFIX) in wanted)
        }
        total = sum(member.file_size for member in members.values())
        if total > MAX_ARCHIVE_BYTES:
            limit = bytes_text(MAX_ARCHIVE_BYTES)
            raise error(f"{path.name} unpacks to {bytes_text(total)}, more than the {limit} supported")
        for name, member in members.items():
            with archive.open(member) as stream:
                judge(name, _read_header(stream, member.file_size, f"{path.name}: {member.filename}", error))
        arrays = {}
        for name, member in members.items():
            with archive.open(member) as stream:
                arrays[name] = _read_array(stream, member.file_size, f"{path.name}: {member.filename}", error)
        return arrays


def names_in(path: Path, error: type[RatemlxError]) -> list[str]:
    """Names of the arrays in an .npz file."""
    with readable(path.name, error), open_archive(path, error) as archive:
        return sorted(name.removesuffix(SUFFIX) for name in archive.namelist() if name.endswith(SUFFIX))


def read_npy(path: Path, error: type[RatemlxError], judge: Judge = accept) -> AnyArray:
    """The array of an .npy file; refuses pickled objects and headers that claim too much."""
    with readable(path.name, error), path.open("rb") as stream:
        size = path.stat().st_size
        judge(path.name, _read_header(stream, size, path.name, error))
        stream.seek(0)
        return _read_array(stream, size, path.name, error)


def _read_array(stream: IO[bytes], file_size: int, name: str, error: type[RatemlxError]) -> AnyArray:
    header = _read_header(stream, file_size, name, error)
    content = stream.read(header.size)
    if len(content) != header.size:
        raise _cut_short(len(content), header, name, error)
    return np.frombuffer(content, header.dtype).reshape(header.shape, order="F" if header.fortran_order else "C")


def _read_header(stream: IO[bytes], file_size: int, name: str, error: type[RatemlxError]) -> Header:
    """The header in front of an array in a file of so many bytes; refuses what the file cannot hold."""
    try:
        version = np.lib.format.read_magic(stream)
        length = stream.read(LENGTH_BYTES[version])
        if int.from_bytes(length, "little") > MAX_HEADER:
            raise error(f"{name} is not a NumPy array: its header is longer than {MAX_HEADER:,} characters")
        text = io.BytesIO(length + stream.read(int.from_bytes(length, "little")))
        parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        header = Header(*parse(text))
    except (ValueError, KeyError, SyntaxError, MemoryError, RecursionError, OverflowError, TokenError) as fault:
        raise error(f"{name} is not a NumPy array") from fault
    if header.dtype.hasobject:
        raise error(f"{name} holds pickled Python objects, which could run code", "save plain numbers or text")
    if min(header.shape, default=0) < 0 or max(header.shape, default=0) >= 2**63:
        raise error(f"{name} is not a NumPy array")
    if header.size > MAX_ARRAY_BYTES:
        raise error(f"{name} is {bytes_text(header.size)}, more than the {bytes_text(MAX_ARRAY_BYTES)} supported")
    before = len(np.lib.format.magic(1, 0)) + len(text.getvalue())
    if header.size > file_size - before:
        raise _cut_short(max(0, file_size - before), header, name, error)
    return header


def _cut_short(found: int, header: Header, name: str, error: type[RatemlxError]) -> RatemlxError:
    return error(f"{name} ends after {bytes_text(found)} of {bytes_text(header.size)}")
