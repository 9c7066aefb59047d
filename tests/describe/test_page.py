"""Pages about models: every quantity is named, figures are drawn where there is something to draw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ratemlx
from ratemlx.cli import main
from ratemlx.describe import describe
from ratemlx.resources import shipped_models

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", shipped_models())
def test_every_quantity_has_its_row(name: str) -> None:
    model = ratemlx.load(name)
    page = describe(model, figures=False).markdown
    rows = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    scalars = [item.name for item in model.constants if "[" not in item.name]
    named = [*model.parameters, *model.inputs, *model.state_variables, *model.exposures]
    assert set(rows) >= {*scalars, *(item.name for item in named)}
    assert page.startswith(f"# {name}\n\n{model.description}\n\n*{model.reference}*\n")
    assert page.count("$$") == 2 * len(re.findall(r"^\$\$.+\$\$$", page, flags=re.MULTILINE))
    for use in model.transfer_uses:
        assert f"### {use.function.name}" in page


def test_tables_leave_out_columns_without_content() -> None:
    page = describe(ratemlx.load("montbrio"), figures=False).markdown
    assert "| Name | Symbol | Default | Range | Meaning |\n" in page
    assert "| `sigma_V` | $\\sigma_{V}$ | 0.1 | 0.001 to 1, log | Strength of the noise on V, per sqrt(ms) |\n" in page
    assert "| `r` | 0.1 | ≥ 0 | Firing rate |\n" in page
    assert "## Inputs" not in page
    assert "## Transfer functions" not in page


def test_a_vector_is_one_row() -> None:
    page = describe(ratemlx.load("adex"), figures=False).markdown
    assert "| `P_e` | $P_{e}$ | -0.0498, 0.00506, -0.025, 0.0014, -0.00041, 0.0105," in page


def test_page_and_figures_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "wilson_cowan", "-o", str(tmp_path / "pages")]) == 0
    names = ["wilson_cowan.md", "wilson_cowan-traces.png", "wilson_cowan-phase-plane.png"]
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "pages" / name) for name in names]
    page = (tmp_path / "pages" / names[0]).read_text(encoding="utf-8")
    for name in names[1:]:
        assert f"]({name})" in page
        assert (tmp_path / "pages" / name).read_bytes().startswith(PNG)


def test_a_page_is_printed_without_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "linear"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# linear\n")
    assert ".png" not in printed
