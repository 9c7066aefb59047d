"""Ranks of one computer that need the same kernel: it is compiled once, ahead of a run or at its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.ranks import PYTHON, mpirun

RUN = ("run", "montbrio", "--connectome", "tvb:66", "--sweep", "eta=-6:-5:4", "--duration", "20", "--threads", "1")
RANKS = 4


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty cache, and a C++ compiler that notes what it makes."""
    command = tmp_path / "c++"
    command.write_text(f'#!/bin/sh\ncase "$*" in *-shared*) echo made >> {tmp_path / "made"};; esac\nexec g++ "$@"\n')
    command.chmod(0o755)
    return {"CXX": str(command), "RATEMLX_CACHE_DIR": str(tmp_path / "cache")}


def ratemlx(environment: Mapping[str, str], *words: str) -> str:
    """What so many ranks print."""
    done = mpirun(RANKS, [PYTHON, "-m", "ratemlx", *words], environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_compiles_once(environment: dict[str, str], tmp_path: Path) -> None:
    ratemlx(environment, *RUN, "-o", str(tmp_path / "run"))
    assert (tmp_path / "made").read_text() == "made\n"


def test_compiled_ahead_a_run_compiles_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    command = (*RUN, "--metrics", "mean_FC", "-o", str(tmp_path / "run"))
    said = ratemlx(environment, *command, "--compile-only")
    assert said.count("montbrio for blocks of 16") == said.count("cache: ") == 1
    assert (tmp_path / "made").read_text() == "made\n" * 2
    ratemlx(environment, *command)
    assert (tmp_path / "made").read_text() == "made\n" * 2


def test_what_does_not_compile_is_told_once(environment: dict[str, str]) -> None:
    command = [PYTHON, "-m", "ratemlx", *RUN, "--compile-only"]
    done = mpirun(RANKS, command, environment={**environment, "CXX": "/nowhere/c++"})
    assert done.returncode == 2
    assert done.stderr.count("there is no C++ compiler: /nowhere/c++ is not found") == 1
