"""tests/gpu/run.sh, from its first line to its last, on the device that plays a GPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT

SCRIPTS = sorted((CHECKOUT / "tests" / "gpu").glob("*.sh"))
TIMEOUT = 240


def run(folder: Path, *parts: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script with nothing carried; what it writes is in `folder`."""
    places = {"OUT": str(folder / "out"), "RATEMLX_WORK": str(folder / "work"), "CARRY": str(folder / "none")}
    settings = {"RATEMLX_DEVICE": "cuda-emulation", "PYTHON": sys.executable, **places, **variables}
    return subprocess.run(
        [str(CHECKOUT / "tests" / "gpu" / "run.sh"), *parts],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


def test_a_dry_run_of_everything(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"gpu.json", "run.log"}
    found = json.loads((tmp_path / "out" / "gpu.json").read_text(encoding="utf-8"))
    assert found["measured"] is False
    assert found["failed_parts"] == []
    assert found["tests"]["tests"] >= 5
    assert found["tests"]["failures"] == found["tests"]["errors"] == found["tests"]["skipped"] == 0
    assert found["sanitizer"] == {"small": 0}
    assert [work["key"] for work in found["works"]] == ["montbrio"]
    assert found["paper_kernel"]["repaired"]["node_steps_per_second"] > 0
    assert "node_steps_per_second" in found["cubnm"] or "note" in found["cubnm"]
    assert found["goals"] == {}, "a dry run reaches no goal"


def test_a_part_that_fails_is_told_and_fails_the_script(tmp_path: Path) -> None:
    done = run(tmp_path, "paper", RATEMLX_DEVICE="cuda:7")
    assert done.returncode == 1
    assert "failed: paper" in done.stdout
    found = json.loads((tmp_path / "out" / "gpu.json").read_text(encoding="utf-8"))
    assert found["failed_parts"] == ["paper"]
    assert "paper_kernel" not in found


def test_what_finds_no_time_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "sanitizer", RATEMLX_BUDGET="3")
    assert done.returncode == 1
    assert "no time is left for" in done.stdout
    assert json.loads((tmp_path / "out" / "gpu.json").read_text(encoding="utf-8"))["sanitizer"] == {"small": 124}


def test_a_part_that_there_is_not(tmp_path: Path) -> None:
    done = run(tmp_path, "dance")
    assert done.returncode == 2
    assert "there is no part dance" in done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_well_formed(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
