"""Exit codes, messages, and how little `--help` imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from ratemlx import cli
from ratemlx.cli import main
from ratemlx.cli.app import COMMANDS
from ratemlx.errors import BUG_REPORT, InternalError, SweepError

HEAVY = {"sympy", "numpy", "xarray", "matplotlib", "mako", "jinja2", "lxml", "rich"}


def _raiser(error: BaseException) -> Callable[[object], int]:
    def raise_it(_: object) -> int:
        raise error

    return raise_it


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from ratemlx.cli import main; code = main(['--help']);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage: ratemlx" in done.stdout
    assert HEAVY & set(done.stderr.split("'")) == set()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("ratemlx 0.")


@pytest.mark.parametrize("name", [command.__name__ for command in COMMANDS])
def test_every_command_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"Examples:\n    ratemlx {name}" in capsys.readouterr().out


ESCAPE = "no\x1b[31m\u202e"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", ESCAPE], "there is no model 'no�[31m�'"),
        (["query", ESCAPE], "no�[31m� is not a folder"),
        (["merge", ESCAPE], "there is no folder no�[31m�"),
        (["validate", f"{ESCAPE}.xml"], "there is no file no�[31m�.xml"),
        (["run", "montbrio", "--sweep", f"{ESCAPE}=1"], "montbrio has no parameter"),
        (["run", "montbrio", "--no\x1b[31m"], "No such option"),
        ([ESCAPE], "No such command"),
    ],
)
def test_errors_print_nothing_that_a_terminal_obeys(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert told in err
    assert all(char.isprintable() or char == "\n" for char in out + err)


def test_lines_of_a_message_stay_lines() -> None:
    error = SweepError("one\n  | two\tthree", "four\nfive")
    assert str(error) == "error: one\n  | two three\n  hint: four\nfive"


def test_a_wrong_command_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulat"]) == 2
    assert "No such command 'simulat'" in capsys.readouterr().err


def test_a_users_error_is_its_message_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_dispatch", _raiser(SweepError("a step of zero", "give start:stop:count")))
    assert main([]) == 2
    assert capsys.readouterr().err == "error: a step of zero\n  hint: give start:stop:count\n"


@pytest.mark.parametrize("error", [InternalError("a row too many"), ZeroDivisionError("division by zero")])
def test_a_bug_says_that_it_is_one(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_dispatch", _raiser(error))
    assert main([]) == 70
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback")
    assert printed.endswith(f"{BUG_REPORT}\n")


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_dispatch", _raiser(KeyboardInterrupt()))
    assert main([]) == 130


def test_a_closed_pipe_is_quiet() -> None:
    script = "import sys; from ratemlx.cli import main; sys.exit(main(['--help']))"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == cli.EXIT_CLOSED_PIPE
