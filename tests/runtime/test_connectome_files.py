"""Connectomes as files, well-formed and hostile; every hostile one must be refused in under a second."""

from __future__ import annotations

import bz2
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ConnectomeError, SweepError
from ratemlx.runtime import load_connectome, untrusted_arrays
from ratemlx.runtime.matrix_text import parse_matrix
from ratemlx.runtime.sweep_text import read_points
from ratemlx.runtime.untrusted import MAX_TEXT_BYTES

WEIGHTS = "0 1\n2 0\n"
LENGTHS = "0 10.5\n1.25e1 0\n"


def archive(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def refused(source: str | Path) -> str:
    started = time.process_time()
    with pytest.raises(ConnectomeError) as caught:
        load_connectome(source)
    assert time.process_time() - started < 3.0
    return caught.value.message


def test_a_tvb_archive(tmp_path: Path) -> None:
    members = {
        "set/weights.txt.bz2": bz2.compress(WEIGHTS.encode()),
        "set/tract_lengths.txt": LENGTHS,
        "set/centres.txt": "left 1 2 3\nright 4 5 6\n",
        "__MACOSX/set/._weights.txt": "x",
    }
    connectome = load_connectome(archive(tmp_path / "mine.zip", members))
    np.testing.assert_array_equal(connectome.weights, [[0, 1], [2, 0]])
    np.testing.assert_array_equal(connectome.tract_lengths, [[0, 10.5], [12.5, 0]])
    assert (connectome.region_labels, connectome.name) == (("left", "right"), "mine")


def test_npz_csv_and_folders(tmp_path: Path) -> None:
    weights, lengths = np.array([[0.0, 1], [2, 0]]), np.array([[0, 10.5], [12.5, 0]])
    np.savez(tmp_path / "a.npz", weights=weights, lengths=np.asfortranarray(lengths), labels=np.array(["l", "r"]))
    (tmp_path / "weights.csv").write_text("l,r\n0,1\n2,0\n")
    (tmp_path / "lengths.csv").write_text("0;10.5\n12.5;0\n")
    pair = f"{tmp_path / 'weights.csv'},{tmp_path / 'lengths.csv'}"
    for source in (tmp_path / "a.npz", pair, tmp_path):
        connectome = load_connectome(source)
        np.testing.assert_array_equal(connectome.weights, weights)
        np.testing.assert_array_equal(connectome.tract_lengths, lengths)
        assert connectome.region_labels == ("l", "r")


def test_what_is_not_there(tmp_path: Path) -> None:
    assert refused("nowhere.zip") == "there is no connectome 'nowhere.zip'"
    assert refused("a.csv,b.csv") == "a.csv does not exist"
    assert refused("a,b,c") == "3 files were given for a connectome"
    assert refused(tmp_path) == f"{tmp_path.name} holds no weights.csv, .txt or .npy"
    (tmp_path / "a.mat").touch()
    assert refused(tmp_path / "a.mat") == "a.mat is not a kind of connectome that can be read"


def zip_slip(path: Path) -> Path:
    return archive(path, {"../../weights.txt": WEIGHTS, "tract_lengths.txt": LENGTHS})


def backslash_slip(path: Path) -> Path:
    return archive(path, {"..\\weights.txt": WEIGHTS})


def zip_bomb(path: Path) -> Path:
    return archive(path, {"weights.txt": b"0" * (MAX_TEXT_BYTES + 1), "tract_lengths.txt": LENGTHS})


def bz2_bomb(path: Path) -> Path:
    return archive(path, {"weights.txt.bz2": bz2.compress(b"0" * (2 * MAX_TEXT_BYTES)), "tract_lengths.txt": LENGTHS})


def many_members(path: Path) -> Path:
    return archive(path, {f"{index}.txt": "" for index in range(1_001)})


def damaged(path: Path) -> Path:
    archive(path, {"weights.txt": WEIGHTS * 100, "tract_lengths.txt": LENGTHS})
    content = bytearray(path.read_bytes())
    content[45:60] = b"\xff" * 15
    path.write_bytes(content)
    return path


def not_a_zip(path: Path) -> Path:
    path.write_bytes(b"weights")
    return path


def no_lengths(path: Path) -> Path:
    return archive(path, {"weights.txt": WEIGHTS})


def twice(path: Path) -> Path:
    return archive(path, {"a/weights.txt": WEIGHTS, "b/weights.txt": WEIGHTS, "tract_lengths.txt": LENGTHS})


def words(path: Path) -> Path:
    return archive(path, {"weights.txt": "0 1\n2 __import__('os')\n", "tract_lengths.txt": LENGTHS})


def ragged(path: Path) -> Path:
    return archive(path, {"weights.txt": "0 1\n2\n", "tract_lengths.txt": LENGTHS})


def tall(path: Path) -> Path:
    return archive(path, {"weights.txt": "1 2 3\n" * 10_000_000, "tract_lengths.txt": LENGTHS})


def tall_with_names(path: Path) -> Path:
    return archive(path, {"weights.txt": "# of three\n\na b\n1 2\n3 4\n5 6\n", "tract_lengths.txt": LENGTHS})


def wide(path: Path) -> Path:
    return archive(path, {"weights.txt": "1 " * 20_000, "tract_lengths.txt": LENGTHS})


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (zip_slip, "bad.zip holds a file that leads out of it: '../../weights.txt'"),
        (backslash_slip, "bad.zip holds a file that leads out of it"),
        (zip_bomb, "bad.zip: weights.txt is longer than 64.0 MiB of text"),
        (bz2_bomb, "bad.zip: weights.txt is longer than 64.0 MiB of text"),
        (many_members, "bad.zip holds 1,001 files, more than the 1,000 supported"),
        (damaged, "bad.zip cannot be read: "),
        (not_a_zip, "bad.zip cannot be read: File is not a zip file"),
        (no_lengths, "bad.zip holds no tract_lengths.txt"),
        (twice, "bad.zip holds weights.txt more than once: a/weights.txt, b/weights.txt"),
        (words, "bad.zip: weights.txt, line 2: \"__import__('os')\" is not a number"),
        (ragged, "bad.zip: weights.txt, line 2: 1 columns where 2 are expected"),
        (tall, "bad.zip: weights.txt has more rows than its 3 columns, and must be square"),
        (tall_with_names, "bad.zip: weights.txt has more rows than its 2 columns, and must be square"),
        (wide, "bad.zip: weights.txt, line 1: more than 10,000 columns"),
    ],
)
def test_hostile_archives(make: Callable[[Path], Path], expected: str, tmp_path: Path) -> None:
    assert refused(make(tmp_path / "bad.zip")).startswith(expected)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    weights = np.array([[0, object()], [1, 0]], dtype=object)
    np.savez(tmp_path / "bad.npz", weights=weights, lengths=np.ones((2, 2)))
    expected = "bad.npz: weights.npy holds pickled Python objects, which could run code"
    assert refused(tmp_path / "bad.npz") == expected
    np.save(tmp_path / "bad.npy", weights)
    assert refused(f"{tmp_path}/bad.npy,{tmp_path}/bad.npy").startswith("bad.npy holds pickled Python objects")


@pytest.mark.parametrize("shape", ["(10000000, 10000000)", "(-4, -4)", "(9" + "9" * 400 + ",)", "(" * 500])
def test_headers_that_claim_too_much_cost_nothing(shape: str, tmp_path: Path) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    path = archive(tmp_path / "bad.npz", {"weights.npy": content, "lengths.npy": content})
    assert refused(path).startswith("bad.npz: weights.npy is ")


def zeros(shape: tuple[int, ...], megabytes: int, version: int = 1, kind: str = "<f8") -> bytes:
    """An array of zeros as .npy, which compresses a thousandfold."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + bytes(megabytes << 20)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kilobytes that unpack to 96 MiB: not square, too large, or not asked for at all."""
    folder = tmp_path_factory.mktemp("bombs")
    small, large = zeros((2, 2), 1), zeros((1 << 22,), 32)
    archive(folder / "flat.npz", {"weights.npy": large, "lengths.npy": large, "x.npy": large})
    archive(folder / "unasked.npz", {"weights.npy": small, "lengths.npy": small, "x.npy": large})
    archive(folder / "labels.npz", {"weights.npy": small, "lengths.npy": small, "labels.npy": large})
    archive(folder / "shape.npz", {"weights.npy": zeros((10_001, 1_000), 77), "lengths.npy": small})
    archive(folder / "regions.npz", {"weights.npy": small, "lengths.npy": zeros((10_001, 10_001), 96, kind="|i1")})
    return folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flat", "flat.npz: weights are 4194304, not a square matrix"),
        ("labels", "labels.npz: region labels are for 4,194,304 regions, more than the 10,000 supported"),
        ("shape", "shape.npz: weights are 10001 x 1000, not a square matrix"),
        ("regions", "regions.npz: tract lengths are for 10,001 regions, more than the 10,000 supported"),
    ],
)
def test_bombs_are_judged_by_their_headers(name: str, expected: str, bomb: Path) -> None:
    tracemalloc.start()
    try:
        assert refused(bomb / f"{name}.npz") == expected
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_arrays_that_nobody_asked_for_are_not_read(bomb: Path) -> None:
    tracemalloc.start()
    try:
        assert load_connectome(bomb / "unasked.npz").n_regions == 2
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_archives_that_unpack_to_too_much(bomb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted_arrays, "MAX_ARCHIVE_BYTES", 64 << 20)
    with pytest.raises(SweepError) as caught:
        read_points(bomb / "flat.npz")
    assert caught.value.message == "flat.npz unpacks to 96.0 MiB, more than the 64.0 MiB supported"


def test_a_long_text_takes_little_more_memory_than_its_numbers() -> None:
    text = "1\n" * (1 << 16)
    tracemalloc.start()
    try:
        assert parse_matrix(text, "long.csv", ConnectomeError, 10).values.shape == (1 << 16, 1)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_count_alike(end: str) -> None:
    lines = ["a,b", "", "# none", "1,2", "3,4"]
    for last in ("", end):
        matrix = parse_matrix(end.join(lines) + last, "x.csv", ConnectomeError, 10, square=True)
        np.testing.assert_array_equal(matrix.values, [[1, 2], [3, 4]])
        assert matrix.columns == ("a", "b")
    with pytest.raises(ConnectomeError) as caught:
        parse_matrix(end.join([*lines[:4], "3,x"]), "x.csv", ConnectomeError, 10, square=True)
    assert caught.value.message == "x.csv, line 5: 'x' is not a number"


@pytest.mark.parametrize("version", [2, 3, 9])
def test_long_headers_are_not_read(version: int, tmp_path: Path) -> None:
    content = b"\x93NUMPY" + bytes([version, 0]) + (1 << 30).to_bytes(4, "little") + b" " * (128 << 20)
    path = archive(tmp_path / "bad.npz", {"weights.npy": content, "lengths.npy": content})
    reason = ": its header is longer than 10,000 characters" if version < 9 else ""
    tracemalloc.start()
    try:
        assert refused(path) == f"bad.npz: weights.npy is not a NumPy array{reason}"
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_all_versions_of_the_format(version: int, tmp_path: Path) -> None:
    content = zeros((2, 2), 1, version)
    path = archive(tmp_path / "good.npz", {"weights.npy": content, "lengths.npy": content})
    np.testing.assert_array_equal(load_connectome(path).weights, np.zeros((2, 2)))


def test_a_truncated_array_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "whole.npy", np.ones((4, 4)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:-8])
    assert refused(f"{tmp_path}/cut.npy,{tmp_path}/whole.npy") == "cut.npy ends after 120 bytes of 128 bytes"
