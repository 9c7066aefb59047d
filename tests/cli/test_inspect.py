"""`ratemlx inspect`: the stages and what they print."""

from __future__ import annotations

import pytest

from ratemlx.cli import main


def test_without_a_stage_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    from ratemlx.passes.pipeline import STAGES

    assert main(["inspect", "montbrio"]) == 0
    assert capsys.readouterr().out.split() == list(STAGES)


def test_every_stage_prints_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    from ratemlx.passes.pipeline import STAGES

    for stage in STAGES:
        assert main(["inspect", "kuramoto", "--stage", stage]) == 0
        assert "theta" in capsys.readouterr().out, stage


def test_an_unknown_stage_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "kuramoto", "--stage", "polish"]) == 2
    assert "no stage 'polish'; there are" in " ".join(capsys.readouterr().err.split())


def test_a_model_that_is_not_there_is_told_without_a_stage_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "no_such_model"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
