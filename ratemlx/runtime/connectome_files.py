"""Connectomes from files: tvb-data by size, TVB zip archives, .npz, and folders or pairs of text or .npy files.

Knows file formats only; `Connectome` itself checks that the parts fit together.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from ratemlx.errors import ConnectomeError
from ratemlx.runtime.arrays import AnyArray, Floats
from ratemlx.runtime.connectome import MAX_REGIONS, Connectome, check_shape, check_size
from ratemlx.runtime.matrix_text import parse_matrix
from ratemlx.runtime.untrusted import open_archive, read_text, readable
from ratemlx.runtime.untrusted_arrays import Header, names_in, read_npy, read_npz

FORMS = "give tvb:68, a TVB .zip, an .npz, a folder, or two files: weights.csv,tract_lengths.csv"
LENGTHS_NAMES = ("tract_lengths", "lengths")
LABELS_NAMES = ("region_labels", "labels")
TEXT_SUFFIXES = (".csv", ".txt", ".tsv", ".txt.bz2", ".npy")


def load_connectome(source: str | Path | Connectome) -> Connectome:
    """A connectome from what a user wrote; raises ConnectomeError with what is wrong.

    `source` is "tvb:68" (66, 68, 76, 96, 192: the files of tvb-data), a TVB zip archive, an .npz with `weights`,
    `tract_lengths` and optional `region_labels`, a folder with such files, or two files joined by a comma.
    """
    if isinstance(source, Connectome):
        return source
    text = str(source)
    if text.startswith("tvb:"):
        return _tvb_data(text.removeprefix("tvb:"))
    path = Path(text).expanduser()
    if not path.exists() and "," in text:
        return _pair([Path(part.strip()).expanduser() for part in text.split(",")])
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise ConnectomeError(f"there is no connectome {text!r}", FORMS)
    if path.suffix == ".npz":
        return _npz(path)
    if path.suffix == ".zip":
        return read_tvb_archive(path)
    raise ConnectomeError(f"{path.name} is not a kind of connectome that can be read", FORMS)


def _tvb_data(size: str) -> Connectome:
    """One of tvb-data's archives, found without importing tvb (which takes seconds)."""
    spec = importlib.util.find_spec("tvb_data")
    if spec is None or not spec.submodule_search_locations:
        raise ConnectomeError("tvb-data is not installed", "pip install tvb-data")
    folder = Path(next(iter(spec.submodule_search_locations))) / "connectivity"
    known = {path.stem.removeprefix("connectivity_"): path for path in folder.glob("connectivity_[0-9]*.zip")}
    if size not in known:
        sizes = ", ".join(f"tvb:{name}" for name in sorted(known, key=int))
        raise ConnectomeError(f"tvb-data has no connectome of {size[:20]!r} regions", f"known: {sizes}")
    return read_tvb_archive(known[size], f"tvb:{size}")


def read_tvb_archive(path: Path, name: str = "") -> Connectome:
    """A TVB archive: weights.txt, tract_lengths.txt and centres.txt (label x y z), each plain or .bz2."""
    with readable(path.name, ConnectomeError), open_archive(path, ConnectomeError) as archive:
        weights = _archived(archive, path, "weights.txt")
        lengths = _archived(archive, path, "tract_lengths.txt")
        if weights is None or lengths is None:
            missing = "weights.txt" if weights is None else "tract_lengths.txt"
            hint = "a TVB archive has weights.txt and tract_lengths.txt"
            raise ConnectomeError(f"{path.name} holds no {missing}", hint)
        centres = _archived(archive, path, "centres.txt")
    return Connectome(
        _matrix(weights, f"{path.name}: weights.txt"),
        _matrix(lengths, f"{path.name}: tract_lengths.txt"),
        _labels_of_centres(centres or ""),
        name or path.stem,
    )


def _archived(archive: ZipFile, path: Path, wanted: str) -> str | None:
    members = [
        member
        for member in archive.namelist()
        if PurePosixPath(member).name in (wanted, wanted + ".bz2") and not member.startswith("__MACOSX")
    ]
    if len(members) > 1:
        raise ConnectomeError(f"{path.name} holds {wanted} more than once: {', '.join(members[:3])}")
    if not members:
        return None
    with archive.open(members[0]) as stream:
        return read_text(stream, f"{path.name}: {PurePosixPath(members[0]).name}", ConnectomeError)


def _labels_of_centres(text: str) -> tuple[str, ...]:
    """First column of `label x y z`; files without labels (three numbers) name nothing."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return tuple(row[0] for row in rows) if all(len(row) >= 4 for row in rows) else ()


def _matrix(text: str, name: str) -> Floats:
    return parse_matrix(text, name, ConnectomeError, MAX_REGIONS, square=True).values


def _npz(path: Path) -> Connectome:
    names = names_in(path, ConnectomeError)
    lengths = next((name for name in LENGTHS_NAMES if name in names), None)
    if "weights" not in names or lengths is None:
        found = ", ".join(names[:10]) or "nothing"
        raise ConnectomeError(f"{path.name} must hold weights and tract_lengths; it holds {found}")
    labels = next((name for name in LABELS_NAMES if name in names), None)

    def judge(name: str, header: Header) -> None:
        if name == labels:
            check_size(math.prod(header.shape), "region labels", path.name)
        else:
            check_shape(header.shape, "weights" if name == "weights" else "tract lengths", path.name)

    wanted = {"weights", lengths} | ({labels} if labels else set())
    arrays = read_npz(path, ConnectomeError, wanted, judge)
    return Connectome(arrays["weights"], arrays[lengths], _labels_of_array(arrays.get(labels or "")), path.stem)


def _labels_of_array(labels: AnyArray | None) -> tuple[str, ...]:
    if labels is None:
        return ()
    items = labels.ravel().tolist()
    return tuple(item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in items)


def _folder(folder: Path) -> Connectome:
    files = [_in_folder(folder, ("weights",)), _in_folder(folder, LENGTHS_NAMES)]
    labels = _in_folder(folder, LABELS_NAMES)
    centres = _in_folder(folder, ("centres",))
    if files[0] is None or files[1] is None:
        missing = "weights" if files[0] is None else "tract_lengths"
        raise ConnectomeError(f"{folder.name} holds no {missing}.csv, .txt or .npy")
    names: tuple[str, ...] = ()
    if labels is not None:
        names = tuple(line.strip() for line in _text_of(labels).splitlines() if line.strip())
    elif centres is not None:
        names = _labels_of_centres(_text_of(centres))
    return _pair([files[0], files[1]], names, folder.name)


def _in_folder(folder: Path, stems: tuple[str, ...]) -> Path | None:
    paths = (folder / f"{stem}{suffix}" for stem in stems for suffix in TEXT_SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def _pair(paths: list[Path], labels: tuple[str, ...] = (), name: str = "") -> Connectome:
    if len(paths) != 2:
        raise ConnectomeError(f"{len(paths)} files were given for a connectome", FORMS)
    weights, columns = _matrix_file(paths[0])
    lengths, _ = _matrix_file(paths[1])
    return Connectome(weights, lengths, labels or columns, name or paths[0].stem)


def _matrix_file(path: Path) -> tuple[AnyArray, tuple[str, ...]]:
    if path.suffix == ".npy":
        return read_npy(path, ConnectomeError, _judge_matrix), ()
    matrix = parse_matrix(_text_of(path), path.name, ConnectomeError, MAX_REGIONS, square=True)
    return matrix.values, matrix.columns


def _judge_matrix(name: str, header: Header) -> None:
    check_shape(header.shape, "the values", name)


def _text_of(path: Path) -> str:
    with readable(path.name, ConnectomeError), path.open("rb") as stream:
        return read_text(stream, path.name, ConnectomeError)
