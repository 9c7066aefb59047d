"""What is inside a shard: a few arrays in an uncompressed .npz, named and described by a header in JSON.

All arrays of single instances are laid end to end in one, for a member of an .npz costs 0.1 ms whatever its size. The
header names the run by its stamp. Knows nothing of file names and checksums.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, Int64s
from ratemlx.store.shard import Shard, StoredArray

FORMAT = 1
HEADER = "header"
FAULTS = (OSError, ValueError, KeyError, TypeError, EOFError, IndexError, zipfile.BadZipFile, NotImplementedError)


def write(stream: IO[bytes], stamp: str, shard: Shard) -> None:
    """Write a shard to a stream that need not be able to go back."""
    header = {
        "format": FORMAT,
        "stamp": stamp,
        "rank": shard.rank,
        "columns": shard.column_names,
        "regional": shard.regional_names,
        "arrays": [_described(item) for item in shard.arrays],
    }
    members: dict[str, AnyArray | None] = {
        HEADER: _text_array(json.dumps(header)),
        "instances": shard.instances.astype(np.int64, copy=False),
        "diverged_at": shard.diverged_at.astype(np.int32, copy=False),
        "columns": None if shard.columns is None else np.asarray(shard.columns, dtype=np.float64),
        "regional": shard.regional,
        "arrays": _joined(shard.arrays),
        "series": shard.series,
    }
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in members.items():
            if array is not None:
                # Without a date: the same batch computed again gives the same bytes, and so the same name.
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


def read(path: Path, stamp: str, *, series: bool = True) -> Shard:
    """Read a whole shard; raises ResultError for one of another run or of another format."""
    try:
        with np.load(path, allow_pickle=False) as file:
            header = _header(file, path, stamp)
            return Shard(
                instances=file["instances"],
                diverged_at=file["diverged_at"],
                column_names=tuple(header["columns"]),
                columns=_optional(file, "columns"),
                regional_names=tuple(header["regional"]),
                regional=_optional(file, "regional"),
                arrays=_separated(header["arrays"], _optional(file, "arrays")),
                series=_optional(file, "series") if series else None,
                rank=int(header["rank"]),
            )
    except FAULTS as error:
        raise _unreadable(path) from error


def read_instances(path: Path, stamp: str) -> Int64s:
    """Which instances a whole shard holds; raises ResultError for one of another run or of another format."""
    try:
        with np.load(path, allow_pickle=False) as file:
            _header(file, path, stamp)
            instances: Int64s = file["instances"]
            return instances
    except FAULTS as error:
        raise _unreadable(path) from error


def _header(file: Any, path: Path, stamp: str) -> dict[str, Any]:
    header = json.loads(file[HEADER].tobytes().decode())
    if header["format"] != FORMAT:
        raise ResultError(f"{path} was written by another version of ratemlx", "use that version, or add --restart")
    if header["stamp"] != stamp:
        raise ResultError(f"{path} is a batch of another run", "take it out of the folder, or add --restart")
    return dict(header)


def _unreadable(path: Path) -> ResultError:
    return ResultError(f"{path} is not a shard, though its checksum is right", "delete it and run the same command")


def _optional(file: Any, name: str) -> Any:
    return file[name] if name in file.files else None


def _text_array(text: str) -> AnyArray:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _described(item: StoredArray) -> dict[str, object]:
    return {
        "instance": int(item.instance),
        "name": item.name,
        "exposure": item.exposure,
        "shape": item.shape,
        "dtype": little_endian(item.values).dtype.str,
        "bytes": item.values.nbytes,
    }


def little_endian(values: AnyArray) -> AnyArray:
    """The values in C order with the byte order of files, whatever the machine's."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))


def _joined(arrays: tuple[StoredArray, ...]) -> AnyArray | None:
    if not arrays:
        return None
    return np.concatenate([little_endian(item.values).reshape(-1).view(np.uint8) for item in arrays])


def _separated(described: list[dict[str, Any]], joined: AnyArray | None) -> tuple[StoredArray, ...]:
    found = []
    start = 0
    for item in described:
        if joined is None:
            raise ValueError("no arrays")
        stop = start + int(item["bytes"])
        values = joined[start:stop].copy().view(np.dtype(item["dtype"]))
        found.append(StoredArray(item["instance"], item["name"], item["exposure"], item["shape"], values))
        start = stop
    return tuple(found)
