"""Connectomes as files, well-formed and hostile; every hostile one must be refused in under a second."""

from __future__ import annotations

import bz2
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ConnectomeError
from ratemlx.runtime import load_connectome
from ratemlx.runtime.untrusted import MAX_TEXT_BYTES

WEIGHTS = "0 1\n2 0\n"
LENGTHS = "0 10.5\n1.25e1 0\n"


def archive(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def refused(source: str | Path) -> str:
    started = time.monotonic()
    with pytest.raises(ConnectomeError) as caught:
        load_connectome(source)
    assert time.monotonic() - started < 1.0
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


def test_a_truncated_array_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "whole.npy", np.ones((4, 4)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:-8])
    assert refused(f"{tmp_path}/cut.npy,{tmp_path}/whole.npy") == "cut.npy ends after 120 bytes of 128 bytes"
