"""Queries: what they answer, what they may not do, and what is said of mistakes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.cli import main
from ratemlx.errors import ResultError
from ratemlx.store.digest import database_digest
from ratemlx.store.missing import stretches
from ratemlx.store.overview import overview
from ratemlx.store.query import ask, asking
from ratemlx.store.reading import open_database
from tests.store.runs import compute, grid, open_store

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "a run ?#%"
    store = open_store(folder)
    compute(store)
    store.finish()
    return folder


def test_an_answer(run: Path) -> None:
    with asking(run, "SELECT instance, g AS coupling FROM instances WHERE b_e = 40 ORDER BY g DESC;") as answer:
        assert answer.headers == ("instance", "coupling")
        assert list(answer.rows) == [(17, 1.0), (13, 0.75), (9, 0.5), (5, 0.25), (1, 0.0)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM instances",
        "DROP TABLE instances",
        "UPDATE instances SET g = 1",
        "INSERT INTO regions VALUES (9, 'x')",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "ATTACH DATABASE 'other.sqlite' AS other",
        "VACUUM INTO 'copy.sqlite'",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = WAL",
        "PRAGMA user_version = 7",
        "SELECT load_extension('x')",
        "BEGIN IMMEDIATE",
        "ANALYZE",
        "REINDEX",
        "WITH x AS (SELECT 1) DELETE FROM instances",
        "EXPLAIN DELETE FROM instances",
    ],
)
def test_nothing_can_be_changed(run: Path, sql: str) -> None:
    before = database_digest(run), sorted(run.iterdir()), (run / "results.sqlite").read_bytes()
    with pytest.raises(ResultError, match=r"only SELECT is possible|the query fails"):
        ask(run, sql)
    assert before == (database_digest(run), sorted(run.iterdir()), (run / "results.sqlite").read_bytes())
    assert not Path("copy.sqlite").exists()
    assert not Path("other.sqlite").exists()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "error: the query is empty"),
        ("  ;\n", "error: the query is empty"),
        ("-- nothing", "error: that is not a query"),
        (
            "SELECT mean_fc_i\nFROM instances",
            "error: there is no column mean_fc_i\n  | SELECT mean_fc_i\n  |        ^^^^^^^^^\n"
            "  hint: did you mean mean_FC_E or mean_rate_E?",
        ),
        (
            "SELECT 1\nFROM instance",
            "error: there is no table instance\n  | FROM instance\n  |      ^^^^^^^^\n  hint: did you mean instances",
        ),
        ("SELECT g FORM instances", "error: the query cannot be understood near 'instances'"),
        ("SELECT zzzzz FROM instances", "ratemlx query RUN, without SQL, lists tables and columns"),
        ("SELECT 1; SELECT 2", "error: more than one statement was given"),
        ("SELECT (1", "error: the query fails: incomplete input"),
        ("SELECT '\x1b[31m' FROM x", "error: there is no table x\n  | SELECT '�[31m' FROM x"),
        ("SELECT \0", "error: the query fails: "),
        ("SELECT \ud800", "error: the query fails: "),
        ("SELECT abs(-9223372036854775808)", "error: the query fails: integer overflow"),
    ],
)
def test_mistakes(run: Path, sql: str, message: str) -> None:
    with pytest.raises(ResultError) as caught:
        ask(run, sql)
    assert message in str(caught.value)


def test_a_query_that_takes_too_long(run: Path) -> None:
    started = time.perf_counter()
    with pytest.raises(ResultError, match=r"the query took longer than 0\.1 s"):
        ask(run, FOREVER, seconds=0.1)
    assert time.perf_counter() - started < 5


def test_ctrl_c_ends_a_query(run: Path) -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ask(run, FOREVER, seconds=30)
    timer.join()


def test_errors_of_the_reader_stay_its_own(run: Path) -> None:
    with pytest.raises(ValueError, match="mine"), asking(run, "SELECT 1"):
        raise ValueError("mine")


def test_overview(run: Path) -> None:
    found = overview(run)
    assert found.model == "adex"
    rows = {item.name: item.rows for item in found.tables}
    assert rows == {
        "instances": 20,
        "regional": 60,
        "arrays": 3,
        "parameters": 2,
        "metrics": 3,
        "regions": 3,
        "sweeps": 1,
        "provenance": 3,
        "shards": 7,
    }
    with closing(open_database(run)) as connection:
        for table, count in rows.items():
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
    units = {(item.table, item.name): item.unit for item in found.columns}
    assert units["instances", "b_e"] == "pA"
    assert units["regional", "mean_rate_E"] == "Hz"


@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 999, b"SQLite format 3\0" + b"\1" * 4000])
def test_folders_without_a_database(tmp_path: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]) -> None:
    if content is not None:
        (tmp_path / "results.sqlite").write_bytes(content)
    for arguments in (
        ["query", str(tmp_path)],
        ["query", str(tmp_path), "SELECT 1"],
        ["export", str(tmp_path), "x.csv"],
    ):
        assert main(arguments) == 2
        assert capfd.readouterr().err.startswith("error: ")
    assert not Path("x.csv").exists()


@pytest.mark.parametrize("path", ["absent", "file"])
def test_paths_that_are_no_folders(tmp_path: Path, path: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for more in ([], ["--rebuild"]):
        assert main(["query", str(tmp_path / path), *more]) == 2
        assert capfd.readouterr().err.count("error: ") == 1
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_the_database_of_another_program_is_not_taken_for_a_run(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection:
        connection.execute("CREATE TABLE instances (instance)")
    with pytest.raises(ResultError, match="is not the database of a run"):
        open_database(tmp_path)


def test_a_writer_killed_in_the_middle_of_a_transaction(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    compute(store)
    before = database_digest(tmp_path)
    script = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN')\n"
        "connection.execute('DELETE FROM regional')\n"
        "connection.executemany('INSERT INTO regions VALUES (?, ?)', ((i, 'x' * 999) for i in range(9, 999)))\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "results.sqlite"])
    assert (tmp_path / "results.sqlite-journal").stat().st_size > 512
    assert database_digest(tmp_path) == before


def _query(run: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    assert main(["query", str(run), *arguments]) == 0
    output = capfd.readouterr()
    return output.out, output.err


def test_formats(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT instance, g, fitness, 'a|b', x'00ff', 9e999, instance FROM instances WHERE instance IN (5, 6)"
    table, _ = _query(run, capfd, sql)
    assert table.splitlines()[1].split() == ["5", "0.25", "-0.958924", "a|b", "(2", "bytes)", "inf", "5"]
    assert table.splitlines()[2].split()[2] == "-"
    markdown, _ = _query(run, capfd, sql, "--format", "markdown")
    assert markdown.splitlines()[3].startswith("| 6 | 0.25 | - | a\\|b |")
    text, _ = _query(run, capfd, sql, "-f", "csv")
    assert text.splitlines()[1:] == ["5,0.25,-0.9589242746631385,a|b,00ff,,5", "6,0.25,,a|b,00ff,,6"]
    data = json.loads(_query(run, capfd, sql, "--format", "json")[0])
    assert data[1] == {
        "instance": 6,
        "g": 0.25,
        "fitness": None,
        "'a|b'": "a|b",
        "x'00ff'": "00ff",
        "9e999": None,
        "instance_2": 6,
    }
    assert _query(run, capfd, "SELECT 1 WHERE 0", "-f", "json")[0] == "[]\n"


def test_limits_are_told(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = _query(run, capfd, "SELECT * FROM regional", "--limit", "5")
    assert len(out.splitlines()) == 6
    assert err == "first 5 rows; --limit 0 gives all\n"
    out, err = _query(run, capfd, "SELECT * FROM regional, regions", "--limit", "180")
    assert (len(out.splitlines()), err) == (181, "")
    out, err = _query(run, capfd, "SELECT * FROM regional, regions, regions r", "-f", "csv")
    assert (len(out.splitlines()), err) == (541, "")


def test_the_list_of_tables_and_columns(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = _query(run, capfd)
    assert out.startswith("model: adex\n")
    assert "instances" in out
    assert "adaptation" in out


def test_rebuild(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = database_digest(run)
    (run / "results.sqlite").write_bytes(b"nonsense")
    out, err = _query(run, capfd, "SELECT count(*) AS n FROM instances", "--rebuild")
    assert out.split() == ["n", "20"]
    assert err == "20 of 20 instances from shards\n"
    assert database_digest(run) == before
    (run / "run.lock").write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    assert main(["query", str(run), "--rebuild"]) == 2
    (run / "run.lock").unlink()


@pytest.mark.parametrize("command", ["query", "merge"])
def test_a_damaged_shard_is_set_aside_and_what_it_held_is_told(
    tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a run that was enlarged, with the command of the sweep that it belongs to."""
    typed = "ratemlx run adex --sweep g=0:1:5 -o 'a run' --restart --part 0/2"
    for points in (replace(grid(), command=typed), replace(grid(6), command="ratemlx run more -o 'a run'")):
        store = open_store(tmp_path, points)
        compute(store)
        store.finish({"samples": 4, "period": 1.0, "exposures": {"E": "kHz"}})
    path = sorted((tmp_path / "shards").glob("*.npz"))[1]
    path.write_bytes(path.read_bytes()[:-9])
    arguments = ["query", str(tmp_path), "SELECT count(*) AS n FROM instances", "--rebuild"]
    assert main(["merge", str(tmp_path)] if command == "merge" else arguments) == 0
    out, err = capfd.readouterr()
    aside = tmp_path / "shards" / "damaged" / path.name
    assert aside.exists()
    assert f"warning: {path.name} was damaged and is now {aside}; what it held is missing until" in err
    told = "3 of 20 instances are missing: 3 to 5; this computes them: ratemlx run adex --sweep g=0:1:5 -o 'a run'\n"
    assert told in out + err
    assert json.loads((tmp_path / "run.json").read_text())["complete"] is False
    (rows,) = ask(tmp_path, "SELECT count(*), sum(instance BETWEEN 3 AND 5) FROM instances")
    assert rows == (33, 0)
    again = open_store(tmp_path)
    assert again.pending().tolist() == [3, 4, 5]


def test_stretches_of_numbers() -> None:
    assert stretches(np.array([0, 1, 2, 5, 7, 8])) == "0 to 2, 5, 7 to 8"
    assert stretches(np.arange(0, 40, 2)) == "0, 2, 4, 6, 8, 10, 12, 14, ..."
    assert stretches(np.arange(0, 16, 2)) == "0, 2, 4, 6, 8, 10, 12, 14"


def test_statistics(run: Path) -> None:
    rows = np.array(ask(run, "SELECT fitness, b_e FROM instances WHERE fitness IS NOT NULL"))
    ((deviation, middle, correlation),) = ask(
        run, "SELECT stdev(fitness + 1e6), median(fitness), corr(fitness, b_e) FROM instances"
    )
    assert deviation == pytest.approx(np.std(rows[:, 0], ddof=1), rel=1e-9)
    assert middle == np.median(rows[:, 0])
    assert correlation == pytest.approx(np.corrcoef(rows.T)[0, 1], rel=1e-12)
    assert ask(run, "SELECT stdev(g), median(g), corr(g, g), corr(1, g) FROM instances WHERE 0") == [(None,) * 4]
    assert ask(run, "SELECT corr(seed, g), stdev(seed) FROM instances") == [(None, 0.0)]
    with pytest.raises(ResultError, match="user-defined aggregate's 'step' method raised error"):
        ask(run, "SELECT stdev(status) FROM instances")
