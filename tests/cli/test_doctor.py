"""The doctor: what it looks at, what it says of missing things, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ratemlx.cli import checks, main


def test_it_reports_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    findings = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert {"Python", "ratemlx", "numpy", "C++ compiler", "SIMD", "cache folder", "NVIDIA GPU", "nvcc"} <= set(findings)
    assert findings["C++ compiler"]["found"]


def test_a_missing_compiler_is_exit_code_1_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "MISSING  C++ compiler" in printed
    assert (
        "  C++ compiler: install g++ (apt install g++, dnf install gcc-c++, conda install gxx) or set $CXX" in printed
    )


def test_an_absent_optional_package_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OPTIONAL_PACKAGES", {"no-such-package": ("nothing", "pip install it")})
    finding = checks.examine()[-1]
    assert (finding.found, finding.required, finding.detail) == (False, False, "- (nothing)")


def test_a_hanging_or_missing_program_gives_no_output(tmp_path: Path) -> None:
    assert checks._output(str(tmp_path / "missing"), "--version") is None
    assert checks._output("false") is None


def test_a_cache_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path / "file"))
    finding = checks._cache_folder()
    assert (finding.found, finding.required) == (False, True)
    assert finding.detail == f"the cache {tmp_path / 'file' / 'kernels'} cannot be written: Not a directory"
    assert finding.remedy == "set RATEMLX_CACHE_DIR to a folder that can be written"
