"""Runs that die anywhere, again and again: the end is that of a run that did not. `lives.py` does it for longer."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from tests.house.sources import CHECKOUT


@pytest.mark.parametrize(
    "words",
    [("--kills", "40"), ("--mpi", "10"), ("--stride", "6"), ("--stride", "20", "--series")],
    ids=lambda words: " ".join(words),
)
def test_lives(words: tuple[str, ...]) -> None:
    seed = str(int(time.time()))
    command = [sys.executable, "-m", "tests.survival.lives", *words, "--seed", seed]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"
    assert re.search(rf", [1-9]\d* runs, seed {seed}", done.stdout), done.stdout
