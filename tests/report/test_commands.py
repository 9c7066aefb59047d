"""`ratemlx report` and `ratemlx plot` on runs that ratemlx itself made: with a database, with series, enlarged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ratemlx.cli import main
from ratemlx.report.open import open_run
from tests.report.pages import data_of, unpacked

SWEEP = ("run", "montbrio", "--sweep", "J=14,16", "--sweep", "eta=-6:-5:3", "--connectome", "tvb:66")
SHORT = ("--duration", "40", "--no-figure", "--observe", "r,V")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sweep with metrics and all series."""
    folder = tmp_path_factory.mktemp("commands") / "swept"
    assert main([*SWEEP, *SHORT, "--metrics", "firing_rate", "--keep", "all", "-o", str(folder)]) == 0
    return folder


def test_a_page_shows_what_the_run_computed(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(swept)]) == 0
    assert capsys.readouterr().out == f"{swept / 'report.html'}\n"
    data = data_of((swept / "report.html").read_text(encoding="utf-8"))
    assert [axis["texts"] for axis in data["axes"]] == [["14", "16"], ["-6", "-5.5", "-5"]]
    assert data["traces"]["isGrid"] is True
    names = [item["name"] for item in data["metrics"]]
    means = unpacked(data["cells"]["means"])[names.index("mean_FR_r")]
    lines = unpacked(data["traces"]["values"]).reshape(data["traces"]["shape"])
    # The metric is in Hz; the traces are in the unit of the exposure, and so short that none of their samples is lost.
    ratio = means / lines[:, 0, 0].mean(axis=-1)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


@pytest.mark.parametrize("kind", ["heatmap", "traces", "distribution"])
def test_figures_of_a_run(swept: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figure.png"
    assert main(["plot", str(swept), "--kind", kind, "-o", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out == f"{path}\n"


def test_a_run_that_kept_series_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SWEEP, *SHORT, "-o", str(tmp_path)]) == 0
    run = open_run(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    told = [line.split()[3:5] for line in lines[1:7]]
    assert told == [[f"{value:.4g}" for value in row] for row in run.read(("mean_r", "mean_V"))]
    assert lines[7] == "means are over the second half of the run and over regions"
    assert run.metrics[0].description == "r: mean over the second half of the run and over regions"
    assert [item.name for item in run.metrics] == ["mean_r", "sd_r", "mean_V", "sd_V"]
    assert [part.name for part in run.missing] == ["metrics, best fits and connectivity matrices"]
    assert main(["report", str(tmp_path)]) == 0


def test_faults_end_in_one_message(swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert main(["plot", str(swept), "--metric", "mean_FR", "-o", str(tmp_path / "a.png")]) == 2
    assert main(["plot", str(swept), "--kind", "fc", "-o", str(tmp_path / "a.png")]) == 2
    assert main(["plot", str(swept), "--at", "J=15", "-o", str(tmp_path / "a.png")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == [
        f"error: there are no results in {tmp_path}",
        "error: no metric is called mean_FR",
        "error: the run keeps no matrix of instance 5",
        "error: the sweep has no J = 15",
    ]
    assert list(tmp_path.iterdir()) == []
