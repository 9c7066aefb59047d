"""`ratemlx bench --startup`: what it prints, and that nothing takes ten times as long as is meant."""

from __future__ import annotations

import re

import pytest

from ratemlx.cli import main

MEANT = {"ratemlx --help": 0.5, "generate, target cpp": 3.0, "compile": 20.0}
"""Seconds for adex, on a machine that does nothing else."""


def test_startup(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "adex", "--startup", "--repeat", "1"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title == "adex, every command in a process of its own, an empty cache; seconds"
    seconds = {name: float(value) for name, value in (re.split(r" {2,}", line.strip()) for line in lines)}
    assert list(seconds) == [*MEANT, "run 10 ms when compiled"]
    for name, meant in MEANT.items():
        assert seconds[name] < 10 * meant, name


def test_startup_of_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "adx", "--startup"]) == 2
    assert capsys.readouterr().err == "error: there is no model 'adx'\n  hint: did you mean 'adex'?\n"
