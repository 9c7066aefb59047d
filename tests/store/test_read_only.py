"""A run in a folder that cannot be written, as on a colleague's disk or a medium: what works, and what is said instead.

The folder is mounted read-only, for no permission holds back the superuser that containers run tests as.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import ratemlx
from tests.store.runs import compute, open_store

HALF_WRITTEN = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
connection.execute("DELETE FROM regional")
connection.executemany("INSERT INTO regions VALUES (?, ?)", ((i, "x" * 999) for i in range(9, 999)))
os._exit(9)
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run in a folder whose name wants quoting."""
    folder = tmp_path / "a run"
    store = open_store(folder)
    compute(store)
    store.finish()
    return folder


def told(run: Path, *command: str) -> tuple[int, str, str]:
    """Exit code and output of a command, with the run's folder read-only for it alone."""
    where = shlex.quote(str(run))
    mount = f"mount --bind {where} {where} && mount -o remount,ro,bind {where}"
    call = shlex.join([sys.executable, "-m", "ratemlx", *command])
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", f"{mount} || exit 99; {call}"],
        cwd=Path(ratemlx.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("folders cannot be mounted here")
    return done.returncode, done.stdout, done.stderr


def test_it_can_be_asked_and_exported(run: Path, tmp_path: Path) -> None:
    assert told(run, "query", str(run), "SELECT count(*) AS n FROM instances") == (0, " n\n20\n", "")
    assert told(run, "export", str(run), str(tmp_path / "all.csv"))[0] == 0
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 21


def test_a_report_can_be_elsewhere(run: Path, tmp_path: Path) -> None:
    code, out, error = told(run, "report", str(run))
    assert (code, out) == (2, "")
    assert error == (
        f"error: the report cannot be written to {run}/report.html: Read-only file system\n"
        f"  hint: name another place for it: ratemlx report '{run}' -o FILE\n"
    )
    page = tmp_path / "page.html"
    assert told(run, "report", str(run), "-o", str(page)) == (0, f"{page}\n", "")


def test_what_a_killed_writer_left_is_read_in_a_copy(run: Path) -> None:
    subprocess.run([sys.executable, "-c", HALF_WRITTEN, run / "results.sqlite"])
    assert (run / "results.sqlite-journal").stat().st_size > 512
    for command in (("query", str(run), "SELECT 1"), ("report", str(run))):
        code, _, error = told(run, *command)
        assert code == 2
        assert f"{run}/results.sqlite was left half written by a process that was killed, and {run} cannot be" in error
        assert f"cp -r '{run}' COPY" in error


def test_a_damaged_database_is_made_again_in_a_copy(run: Path) -> None:
    (run / "results.sqlite").write_bytes(b"no database")
    code, _, error = told(run, "query", str(run), "SELECT 1")
    assert (code, error.count("hint")) == (2, 1)
    assert f"{run} cannot be written: copy it, and make it again there: ratemlx query COPY --rebuild" in error
