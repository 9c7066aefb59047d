"""`ratemlx generate`: what it writes, what --check says, and wrong ways to call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.abi import Manifest
from ratemlx.cli import main
from ratemlx.cli.generate import SHOWN_LINES, differing_files
from ratemlx.targets import target_names


@pytest.mark.parametrize(("target", "suffix"), [("cpp", ".cpp"), ("cuda", ".cu")])
def test_it_writes_a_folder_per_target(
    target: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "montbrio", "--target", target, "-o", str(tmp_path)]) == 0
    folder = tmp_path / "montbrio" / target
    written = {str(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {str(folder / name) for name in (f"montbrio{suffix}", "driver.py", "manifest.json")}
    assert set(capsys.readouterr().out.split()) == written


def test_all_targets_are_the_default(tmp_path: Path) -> None:
    assert main(["generate", "kuramoto", "-o", str(tmp_path)]) == 0
    assert {path.name for path in (tmp_path / "kuramoto").iterdir()} == set(target_names())


def test_check_passes_on_what_was_just_written_and_fails_after_an_edit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "kuramoto", "--target", "cpp", "-o", str(tmp_path)]) == 0
    assert main(["generate", "kuramoto", "--target", "cpp", "-o", str(tmp_path), "--check"]) == 0
    capsys.readouterr()
    kernel = tmp_path / "kuramoto" / "cpp" / "kuramoto.cpp"
    kernel.write_text(kernel.read_text(encoding="utf-8") + "// edited\n", encoding="utf-8")
    assert main(["generate", "kuramoto", "--target", "cpp", "-o", str(tmp_path), "--check"]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith(f"{kernel}: differs\n")
    assert "  -// edited\n" in printed


def test_missing_left_over_and_different_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("1\n")
    (tmp_path / "other").write_text("1\n2\n")
    (tmp_path / "old").write_text("")
    assert list(differing_files(tmp_path, {"same": "1\n", "other": "1\n3\n", "new": ""})) == [
        f"{tmp_path / 'old'}: left over, nothing generates it",
        f"{tmp_path / 'other'}: differs\n  --- present\n  +++ expected\n  @@ -1,2 +1,2 @@\n   1\n  -2\n  +3",
        f"{tmp_path / 'new'}: missing",
    ]


def test_line_ends_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1\r\n")
    assert len(list(differing_files(tmp_path, {"a": "1\n"}))) == 1


def test_a_long_difference_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n" * 100)
    (said,) = differing_files(tmp_path, {"a": "2\n" * 100})
    assert len(said.splitlines()) == SHOWN_LINES + 2
    assert said.endswith("\n  ...")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name models or give --all, one of the two"),
        (["adex", "--all"], "name models or give --all, one of the two"),
        (["adex", "--target", "fortran"], "no target 'fortran'; there are cpp, cuda"),
    ],
)
def test_wrong_ways_to_call_it(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_unknown_model_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "montbriu"]) == 2
    printed = capsys.readouterr().err
    assert "montbriu" in printed
    assert "montbrio" in printed


def test_a_constant_can_be_given_another_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "montbrio", "--target", "cpp", "-o", str(tmp_path)]
    assert main([*arguments, "--set", "tau=2"]) == 0
    constants = Manifest.load(tmp_path / "montbrio" / "cpp").constants
    assert {item.name: item.value for item in constants}["tau"] == 2.0
    assert main([*arguments, "--check"]) == 1
    capsys.readouterr()
    assert main([*arguments, "--set", "tua=2"]) == 2
    assert capsys.readouterr().err == "error: montbrio has no constant 'tua'\n  hint: did you mean 'tau'?\n"
