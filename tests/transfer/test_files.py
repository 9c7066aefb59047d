"""Coefficient files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.errors import PluginError
from ratemlx.transfer.files import read_coefficients
from ratemlx.transfer.registry import builtin_registry

ZERLAUT = builtin_registry().get("zerlaut")


def test_numbers_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"P": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5], "g_L": 10}', encoding="utf-8")
    assert read_coefficients(path, ZERLAUT) == {"P": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5), "g_L": (10.0,)}


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
        read_coefficients(path, ZERLAUT)
    assert caught.value.message == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        read_coefficients(tmp_path / "c.json", ZERLAUT)
    assert caught.value.message == "coefficient file c.json: there is no such file"
    assert caught.value.hint == "the path counts from the model's file"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PluginError) as caught:
        read_coefficients(tmp_path / "c.json", ZERLAUT)
    assert caught.value.message == "coefficient file c.json: it cannot be read"
