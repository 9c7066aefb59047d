"""Coefficient files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ratemlx.errors import PluginError
from ratemlx.transfer.files import read_coefficients
from ratemlx.transfer.registry import builtin_registry

ZERLAUT = builtin_registry().get("zerlaut")


def test_numbers_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"P": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5], "g_L": 10}', encoding="utf-8")
    assert read_coefficients(tmp_path, "c.json", ZERLAUT) == {"P": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5), "g_L": (10.0,)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "c.json is not a JSON object"),
        ('{"P": [1, 2]}', "c.json: coefficient 'P' must be a list of 10 numbers"),
        ('{"P": 1}', "c.json: coefficient 'P' must be a list of 10 numbers"),
        ('{"g_L": [10]}', "c.json: coefficient 'g_L' must be one number"),
        ('{"g_L": "10"}', "c.json: coefficient 'g_L' must consist of numbers"),
        ('{"g_L": true}', "c.json: coefficient 'g_L' must consist of numbers"),
        ('{"g_L": null}', "c.json: coefficient 'g_L' must consist of numbers"),
        ('{"g_L": NaN}', "c.json: coefficient 'g_L' must be finite"),
        ('{"g_L": 1e999}', "c.json: coefficient 'g_L' must be finite"),
        ('{"g_L": 1' + "0" * 400 + "}", "c.json: coefficient 'g_L' must be finite"),
        ('{"g_M": 1}', "c.json: transfer function 'zerlaut' has no coefficient 'g_M'"),
        ('{"g_L": 1, "g_L": 2}', "c.json is no usable JSON: 'g_L' occurs twice"),
        ('{"g_L": 1,\n "E_L" 2}', "c.json:2:8: Expecting ':' delimiter"),
        ('{"g_L": ' + "[" * 100_000, "c.json is no usable JSON: it is nested too deeply"),
        (" " * 1_000_001, "c.json is larger than 1,000,000 bytes"),
    ],
)
def test_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        read_coefficients(tmp_path, "c.json", ZERLAUT)
    assert caught.value.message == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        read_coefficients(tmp_path, "c.json", ZERLAUT)
    assert caught.value.message == "coefficient file c.json: there is no such file"
    assert caught.value.hint == "the path counts from the model's file"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PluginError) as caught:
        read_coefficients(tmp_path, "c.json", ZERLAUT)
    assert caught.value.message == "coefficient file c.json: it cannot be read"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder, with a file of coefficients outside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "c.json").write_text('{"g_L": 10}', encoding="utf-8")
    (tmp_path / "model").mkdir()
    return tmp_path / "model"


def refused_at(folder: Path, name: str) -> str:
    with pytest.raises(PluginError) as caught:
        read_coefficients(folder, name, ZERLAUT)
    return caught.value.message


@pytest.mark.parametrize("target", ["../outside/c.json", "/dev/zero", "/dev/stdin"])
def test_links_that_lead_out_of_the_folder(target: str, folder: Path) -> None:
    (folder / "c.json").symlink_to(target)
    assert refused_at(folder, "c.json") == "coefficient file c.json lies outside the model's folder"
    (folder / "sub").symlink_to(folder.parent / "outside")
    assert refused_at(folder, "sub/c.json") == "coefficient file c.json lies outside the model's folder"


@pytest.mark.parametrize("name", ["/dev/zero", "../outside/c.json", "../../../../../../../../dev/zero"])
def test_paths_that_lead_out_of_the_folder(name: str, folder: Path) -> None:
    assert refused_at(folder, name).endswith(" lies outside the model's folder")


def test_what_is_no_plain_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    assert refused_at(folder, "pipe.json") == "coefficient file pipe.json: it is not a plain file"
    (folder / "folder.json").mkdir()
    assert refused_at(folder, "folder.json") == "coefficient file folder.json: it is not a plain file"
    (folder / "loop.json").symlink_to("loop.json")
    assert refused_at(folder, "loop.json") == "coefficient file loop.json: it cannot be read"


def test_links_and_folders_within_the_folder(folder: Path) -> None:
    (folder / "fits").mkdir()
    (folder / "fits" / "new.json").write_text('{"g_L": 12}', encoding="utf-8")
    (folder / "c.json").symlink_to("fits/new.json")
    for name in ("c.json", "fits/new.json"):
        assert read_coefficients(folder, name, ZERLAUT) == {"g_L": (12.0,)}
