"""The manifest of a generated folder that was cut short, edited, or is something else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ratemlx.abi import Manifest
from ratemlx.cli import main
from ratemlx.errors import KernelError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"manifest\.json is empty"),
        (b"\xff\xfe\x00", r"manifest\.json is not text: its byte 1 is not UTF-8"),
        (b'{"abi_version": 4,', r"manifest\.json:1:18: the file is cut short: it ends here\n  1 \| .*\n +\| +\^"),
        (b'{"abi_version": 4,,}', r"manifest\.json:1:19: this is not JSON\n  1 \| .*\n +\| +\^"),
        (b"[]", r"manifest\.json is not what ratemlx writes: it holds no table"),
        (b'{"model": "adex"}', r"manifest\.json is not the manifest of a generated kernel"),
        (b'{"abi_version": 4, "model": "adex"}', r"manifest\.json is not whole"),
        (b'{"abi_version": 1}', r"generated for ABI version 1"),
    ],
)
def test_manifests_that_are_none(
    tmp_path: Path, content: bytes, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    assert main(["run", str(tmp_path), "--duration", "10"]) == 2
    err = capfd.readouterr().err
    assert re.search(message, err), err
    assert "ratemlx generate MODEL" in err


@pytest.mark.parametrize("change", [{"parameters": 3}, {"constants": ["x"]}, {"surplus": 1}])
def test_entries_of_another_kind(linear: Path, change: dict[str, Any]) -> None:
    data = json.loads((linear / "manifest.json").read_text())
    assert Manifest.from_json(json.dumps(data)).model == "linear"
    with pytest.raises(KernelError, match=r"manifest\.json is not whole"):
        Manifest.from_json(json.dumps({**data, **change}))
