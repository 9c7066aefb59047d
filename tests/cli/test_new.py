"""`ratemlx new`: the starter model is complete, clean and runs; nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.cli import main
from ratemlx.cli.new import starter
from ratemlx.lems.parse import read_text
from ratemlx.lems.vocabulary import KINDS
from ratemlx.lems.xml import read_elements
from ratemlx.source import SourceText

IN_A_TRANSFER_FUNCTION_OF_THE_FILE = {"transfer"}


def test_it_writes_a_model_that_validates_without_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "models" / "my_model.xml"
    assert main(["new", "my_model", "-o", str(path.parent)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert main(["validate", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 0 errors, 0 warnings\n"
    assert ratemlx.load(path).name == "my_model"


def test_it_shows_every_kind_of_element_in_the_modern_spelling() -> None:
    elements = list(read_elements(SourceText("starter.xml", starter("starter"))).walk())
    kinds = {name: kind for name, kind in KINDS.items() if name not in IN_A_TRANSFER_FUNCTION_OF_THE_FILE}
    assert {element.tag.value for element in elements} == {
        tag for kind in kinds.values() for tag, _ in kind.children
    } | {"Lems"}
    document = read_text(starter("starter"), "starter.xml").document
    assert document is not None
    assert document.warnings == ()


def test_it_runs_as_it_is_and_adaptation_ends_its_bursts(tmp_path: Path) -> None:
    (tmp_path / "starter.xml").write_text(starter("starter"), encoding="utf-8")
    result = ratemlx.simulate(tmp_path / "starter.xml", duration=600.0, noise=False)
    rates = result.time_series.sel(instance=0, exposure="E").values
    assert str(result.status.values[0]) == "ok"
    assert np.all((rates.max(axis=0) > 90) & (rates.min(axis=0) < 10))


@pytest.mark.parametrize("name", ["2d", "my-model", "../up", "while", "con", "x" * 200, ""])
def test_names_that_no_model_may_have(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", name, "-o", str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert "cannot be the name of a model: " in printed
    assert "hint: use letters, digits and underscores, such as my_model" in printed
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.xml"
    path.write_text("mine", encoding="utf-8")
    assert main(["new", "mine", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"error: there is already a file {path}\n  hint: choose another name or another folder: -o DIR\n"
    )
    assert path.read_text(encoding="utf-8") == "mine"
