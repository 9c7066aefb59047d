"""run.json and the database as a full disk or an editor may leave them: one clear message with the way out."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ratemlx.cli import main
from ratemlx.errors import ResultError
from ratemlx.store.run_file import read_contents, read_record
from tests.store.runs import compute, open_store

COMMANDS = (
    ["query", "RUN", "--rebuild"],
    ["merge", "RUN"],
    ["export", "RUN", "out.nc"],
)
"""Commands that cannot do without run.json."""
READERS = (
    ["query", "RUN"],
    ["query", "RUN", "SELECT * FROM instances"],
    ["export", "RUN", "out.csv"],
    ["export", "RUN", "out.nc"],
    ["report", "RUN", "-o", "out.html"],
    ["plot", "RUN", "-o", "out.png"],
)
"""Commands that read the database."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store = open_store(tmp_path / "a run")
    compute(store)
    store.finish()
    return tmp_path / "a run"


def _told(command: list[str], run: Path, capfd: pytest.CaptureFixture[str]) -> str:
    assert main([str(run) if word == "RUN" else word for word in command]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("error: ") == 1
    assert "Traceback" not in err
    assert not list(run.parent.glob("out.*"))
    return err


FAULTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (
        lambda data: data[:150],
        r"run\.json:\d+:\d+: the file is cut short: it ends here\n  \d+ \| .+\n +\| +\^\n",
    ),
    "edited": (
        lambda data: data.replace(b'"seed": 42', b'"seed" 42'),
        r"this is not JSON\n.*\"seed\" 42.*\n +\| +\^\n",
    ),
    "empty": (lambda _: b"", "run.json is empty"),
    "binary": (lambda _: b"\x00\xff" * 99, r"run.json is not text: its byte 2 is not UTF-8"),
    "a list": (lambda _: b"[]", "run.json is not what ratemlx writes"),
    "deep": (lambda _: b"[" * 100_000, "run.json is not what ratemlx writes"),
    "another": (lambda _: b'{"stamp": 3}', "does not say what a run writes there: complete, catalogue, sweeps"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_run_json_is_told_and_its_copy_helps(
    run: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path, (damage, message) = run / "run.json", FAULTS[fault]
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    for command in COMMANDS:
        err = _told(command, run, capfd)
        assert re.search(message, err), err
        assert f"hint: its copy is whole; put it back: cp '{run}/shards/run.json' '{run}/run.json'\n" in err
    shutil.copy(run / "shards" / "run.json", path)
    assert path.read_bytes() == whole
    assert main(["query", str(run), "--rebuild"]) == 0
    capfd.readouterr()
    (run / "shards" / "run.json").write_bytes(b"{")
    path.unlink()
    assert "put a copy of it back; without one" in _told(["merge", str(run)], run, capfd)


def test_entries_that_were_edited_are_told(run: Path) -> None:
    def edited(change: Callable[[dict[str, Any]], object]) -> str:
        record = json.loads((run / "shards" / "run.json").read_text())
        change(record)
        (run / "run.json").write_text(json.dumps(record))
        with pytest.raises(ResultError) as caught:
            read_contents(run)
        return caught.value.message

    assert "the parameters in its catalogue cannot be" in edited(lambda r: r["catalogue"]["parameters"].append(1))
    assert "its sweep 0 cannot be understood" in edited(lambda r: r["sweeps"][0].pop("kind"))
    assert "its sweep 0 cannot be" in edited(lambda r: r["sweeps"][0]["axes"].update(g=[[1.0]]))
    assert "its catalogue and its sweeps differ in x" in edited(lambda r: r["sweeps"][0]["fixed"].update(x=1.0))
    assert "its sweep 1 has other parameters" in edited(
        lambda r: r["sweeps"].append({"kind": "grid", "fixed": {}, "axes": {"g": [0.0]}})
    )


def test_a_folder_for_a_file(run: Path) -> None:
    (run / "run.json").unlink()
    (run / "run.json").mkdir()
    with pytest.raises(ResultError, match=r"run\.json cannot be read: Is a directory"):
        read_record(run)


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "results.sqlite is empty"),
    "binary": (lambda _: bytes(range(256)) * 30, "results.sqlite is no database"),
    "cut": (lambda data: data[: len(data) // 3], "results.sqlite is damaged"),
    "altered": (lambda data: data[:4096] + b"\x07" * (len(data) - 4096), "results.sqlite is damaged"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_told_and_made_again(run: Path, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    path, (change, message) = run / "results.sqlite", DAMAGES[damage]
    path.write_bytes(change(path.read_bytes()))
    for command in READERS:
        err = _told(command, run, capfd)
        assert message in err
        assert f"hint: make it again from the run's shards: ratemlx query '{run}' --rebuild\n" in err
    assert main(["query", str(run), "SELECT count(*) AS n FROM instances", "--rebuild"]) == 0
    assert capfd.readouterr().out == " n\n20\n"


@pytest.mark.parametrize(
    ("edit", "commands"),
    [
        ("UPDATE sweeps SET first_instance = NULL", ("report", "plot")),
        ("UPDATE sweeps SET n_instances = 'x'", ("report", "plot")),
        ("UPDATE parameters SET default_value = 'x'", ("report", "plot")),
        ("UPDATE provenance SET value = '{' WHERE name = 'model'", ("query",)),
        ("UPDATE instances SET diverged_at = 'x'", ("export .nc",)),
    ],
)
def test_values_of_another_kind_are_told(
    run: Path, edit: str, commands: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(run / "results.sqlite")) as connection, connection:
        connection.execute(edit)
    for command in READERS:
        if (command[0] in commands and len(command) != 3) or f"{command[0]} {Path(command[-1]).suffix}" in commands:
            assert "results.sqlite holds a value that no run writes there" in _told(command, run, capfd)


def test_a_database_without_a_run_cannot_be_made_again(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (run / "results.sqlite").write_bytes(b"")
    (run / "run.json").unlink()
    assert "put a copy of it back" in _told(["query", str(run)], run, capfd)
