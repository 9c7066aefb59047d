"""`ratemlx validate`: everything that is to be said, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.cli import main
from ratemlx.resources import shipped_models


def test_shipped_models_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    names = list(shipped_models())
    assert main(["validate", *names]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: 0 errors, 0 warnings" for name in names]


def test_all_errors_are_printed_and_the_exit_code_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shipped_models()["montbrio"].read_text(encoding="utf-8")
    file = tmp_path / "slips.xml"
    file.write_text(text.replace("Delta / (pi", "Dleta / (pi").replace("* V * r", "* V * q"), encoding="utf-8")
    assert main(["validate", str(file), "montbrio"]) == 2
    printed = capsys.readouterr().out
    assert "Dleta" in printed
    assert "did you mean 'Delta'?" in printed
    assert printed.splitlines()[-2:] == [f"{file}: 2 errors, 0 warnings", "montbrio: 0 errors, 0 warnings"]


def test_warnings_are_printed_and_leave_the_exit_code_alone(
    rateml_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(rateml_models / "montbrio.xml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    count = sum(": warning: " in line for line in lines)
    assert count > 0
    assert lines[-1] == f"{rateml_models / 'montbrio.xml'}: 0 errors, {count} warnings"


def test_warnings_are_not_lost_when_there_are_errors(rateml_models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(rateml_models / "model_template.xml")]) == 2
    assert "errors" in capsys.readouterr().out.splitlines()[-1]
