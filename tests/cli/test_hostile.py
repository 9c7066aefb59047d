"""Hostile input to `ratemlx run`, as a process: exit code 2 and one message, before any kernel is generated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

BAD = Path(__file__).parents[1] / "bad"
SHORT = ("--duration", "1")


def refused(tmp_path: Path, *words: str) -> str:
    """What is said, the cache having stayed empty."""
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "ratemlx", "run", *words]
    environment = {**os.environ, "RATEMLX_CACHE_DIR": str(cache)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert not cache.exists()
    return done.stderr


def test_a_model_of_a_billion_laughs(tmp_path: Path) -> None:
    shutil.copy(BAD / "billion_laughs.xml", tmp_path)
    told = refused(tmp_path, "billion_laughs.xml", *SHORT)
    assert told == (BAD / "billion_laughs.expected").read_text(encoding="utf-8")


def test_a_connectome_that_unpacks_to_much(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4194304,), }\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(32 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("weights.npy", "lengths.npy"):
            file.writestr(name, array)
    told = refused(tmp_path, "kuramoto", *SHORT, "--connectome", "bomb.npz")
    assert told == "error: bomb.npz: weights are 4194304, not a square matrix\n"


def test_a_connectome_of_endless_rows(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("1,2,3\n" * 1_000_000)
    told = refused(tmp_path, "kuramoto", *SHORT, "--connectome", "w.csv,w.csv")
    assert told == "error: w.csv has more rows than its 3 columns, and must be square\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep", "global_coupling=0:1:1000000000000000"), "the sweep has 1,000,000,000,000,000 points"),
        (("--dt", "1e-320"), "period (1 ms) is more than 2,147,483,584 times dt (9.99989e-321 ms)"),
        (("--duration", "1e308"), "duration (1e+308 ms) is more than 2,147,483,584 times period (1 ms)"),
    ],
)
def test_a_sweep_without_end(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    told = refused(tmp_path, "kuramoto", *words)
    assert told.startswith(f"error: {message}")
