"""`ratemlx convert`: RateML's files keep their kernels and trajectories, and lose their warnings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.cli import main
from ratemlx.targets import render
from tests.lems.test_rateml import STATES

NAMES = tuple(STATES)


@pytest.fixture
def converted(rateml_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> Path:
    path = tmp_path / f"{name}.xml"
    assert main(["convert", str(rateml_models / f"{name}.xml"), "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    return path


@pytest.mark.parametrize("name", NAMES)
def test_no_warning_about_spelling_is_left(converted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(converted)]) == 0
    assert "legacy-" not in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", ["cpp", "cuda"])
def test_kernels_are_the_same_to_the_byte(name: str, target: str, converted: Path, rateml_models: Path) -> None:
    before = render(ratemlx.load(rateml_models / f"{name}.xml"), target)
    after = render(ratemlx.load(converted), target)
    kernel = next(file for file in before if file.startswith(f"{name}."))
    assert after[kernel] == before[kernel]


@pytest.mark.parametrize("name", NAMES)
def test_trajectories_are_the_same_to_the_bit(name: str, converted: Path, rateml_models: Path) -> None:
    settings = {"duration": 5.0, "dt": 0.01, "precision": "float64", "connectome": "tvb:76"}
    before = ratemlx.simulate(rateml_models / f"{name}.xml", **settings).time_series.values
    after = ratemlx.simulate(converted, **settings).time_series.values
    assert np.array_equal(before, after, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_comments_and_descriptions_stay(name: str, converted: Path, rateml_models: Path) -> None:
    before = (rateml_models / f"{name}.xml").read_text(encoding="utf-8")
    after = converted.read_text(encoding="utf-8")
    for mark in ("<!--", "description="):
        assert after.count(mark) == before.count(mark)


@pytest.mark.parametrize("name", ["epileptor"])
def test_what_is_converted_stays_as_it_is(converted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(converted)]) == 0
    assert capsys.readouterr().out == converted.read_text(encoding="utf-8")


def test_a_file_with_errors_is_refused_with_its_report(
    rateml_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (rateml_models / "oscillator.xml").read_text(encoding="utf-8")
    faulty = tmp_path / "faulty.xml"
    faulty.write_text(text.replace("alpha * W", "alhpa * W"), encoding="utf-8")
    assert main(["convert", str(faulty), "-o", str(tmp_path / "new.xml")]) == 2
    assert "unknown name 'alhpa' [unknown-name]" in capsys.readouterr().err
    assert main(["convert", str(rateml_models / "zerlaut.xml")]) == 2
    assert main(["convert", str(tmp_path / "nowhere.xml")]) == 2
    assert not (tmp_path / "new.xml").exists()


def test_only_in_place_replaces_a_file(rateml_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (rateml_models / "kuramoto.xml").read_text(encoding="utf-8")
    path = tmp_path / "kuramoto.xml"
    path.write_text(text, encoding="utf-8")
    assert main(["convert", str(path), "-o", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"error: there is already a file {path}\n"
        "  hint: choose another name, or --in-place to replace the file itself\n"
    )
    assert main(["convert", str(path), "-o", str(tmp_path / "new.xml"), "--in-place"]) == 2
    assert path.read_text(encoding="utf-8") == text
    capsys.readouterr()
    assert main(["convert", str(path)]) == 0
    printed = capsys.readouterr().out
    assert main(["convert", str(path), "--in-place"]) == 0
    assert path.read_text(encoding="utf-8") == printed != text
