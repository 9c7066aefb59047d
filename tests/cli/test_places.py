"""Files that commands write: no command makes the folder of one, and each says so before it works."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ratemlx.cli import main
from tests.store.runs import compute, open_store

RUN = ("linear", "--sweep", "gamma=-9:-2:4", "--duration", "10", "--connectome", "tvb:66", "-o", "sweep")
COMMANDS = {
    "report": ("report", "run", "-o", "FILE.html"),
    "plot": ("plot", "run", "-o", "FILE.png"),
    "export csv": ("export", "run", "FILE.csv"),
    "export nc": ("export", "run", "FILE.nc"),
    "export best": ("export", "run", "FILE.nc", "--table", "best"),
    "slurm": ("slurm", *RUN, "--script", "FILE.slurm"),
    "convert": ("convert", "model.xml", "-o", "FILE.xml"),
    "bench": ("bench", "linear", "--scaling", "-o", "FILE.json"),
    "bench --gpu": ("bench", "--gpu", "cuda", "-o", "FILE.json"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store = open_store(tmp_path / "run")
    compute(store)
    store.finish()
    assert main(["new", "model"]) == 0
    (tmp_path / "a file").touch()
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_makes_the_folder_of_a_file(folder: Path, command: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    for place, message, hint in (
        ("no such/x", "no such is not a folder", "correct the path, or make it: mkdir -p 'no such'"),
        ("a file/x", "a file is not a folder", None),
    ):
        capfd.readouterr()
        began = time.process_time()
        assert main([word.replace("FILE", place) for word in COMMANDS[command]]) == 2
        assert time.process_time() - began < 5
        told = f"error: {message}\n" + (f"  hint: {hint}\n" if hint else "")
        assert capfd.readouterr().err == told
    assert sorted(folder.rglob("*")) == before


def test_a_folder_is_not_taken_for_a_file(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "a.html").mkdir()
    assert main(["report", "run", "-o", "a.html"]) == 2
    assert capfd.readouterr().err == "error: a.html is a folder\n  hint: name a file in it: a.html/NAME\n"
