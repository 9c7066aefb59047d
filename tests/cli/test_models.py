"""`ratemlx models`: one row per shipped model."""

from __future__ import annotations

import pytest

from ratemlx.cli import main
from ratemlx.resources import shipped_models


def test_every_shipped_model_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["model", "description", "state", "variables", "swept", "parameters"]
    firsts = [line.split()[0] for line in lines[1:] if not line.startswith(" ")]
    assert firsts == list(shipped_models())


def test_state_variables_and_parameters_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["models"])
    words = capsys.readouterr().out.split()
    assert {"theta", "C_ee", "external_input_in_in", "eta"} <= set(words)
