"""The page holds the run's numbers, nothing that could run but its own script, and needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ResultError
from ratemlx.report.open import open_run
from ratemlx.report.page import report_page, write_report
from tests.report.pages import data_of, unpacked
from tests.report.runs import HOSTILE, METRICS, REGIONS, Recipe, connectivity, is_diverged, metrics_of, write_database


@pytest.fixture(scope="module")
def page(run_folder: Path) -> str:
    return report_page(open_run(run_folder))


def test_the_cells_are_the_instances_with_their_metrics(page: str) -> None:
    data = data_of(page)
    recipe = Recipe()
    cells = data["cells"]
    levels, means = unpacked(cells["levels"]), unpacked(cells["means"])
    assert [axis["name"] for axis in data["axes"]] == ["global_coupling", "b_e", "tau_w_e", "conduction_speed"]
    assert unpacked(cells["first"]).tolist() == list(range(120))
    for cell in range(120):
        g, b_e, tau, speed = (
            values[levels[axis, cell]] for axis, values in enumerate((recipe.g, recipe.b_e, recipe.tau, recipe.speed))
        )
        expected = [np.nan] * len(METRICS) if is_diverged(g, b_e, tau) else metrics_of(g, b_e, tau, speed, 42)
        np.testing.assert_allclose(means[:, cell], np.array(expected, dtype=np.float32), rtol=1e-6)
    assert unpacked(cells["diverged"]).sum() == 4


def test_the_rankings_name_the_fittest(page: str) -> None:
    data = data_of(page)
    fitness = [item["name"] for item in data["metrics"]].index("fitness")
    assert data["firstMetric"] == fitness
    highest, table = data["ranks"]["highest"][fitness], data["ranks"]
    values = [table["values"][fitness][table["instances"].index(instance)] for instance in highest]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(metrics_of(0.4, 80.0, 500.0, 2.0, 42)[0])
    best = table["instances"].index(highest[0])
    assert [column[best] for column in table["swept"]] == [0.4, 80.0, 500.0, 2.0]


def test_matrices_of_the_fittest_stand_beside_the_reference(page: str) -> None:
    data = data_of(page)
    best = data["ranks"]["highest"][data["firstMetric"]]
    assert [item["instance"] for item in data["matrices"]] == [*best, -1, -1]
    shown = data["matrices"][0]
    np.testing.assert_array_equal(unpacked(shown["values"]), connectivity(best[0]))
    assert {item["name"] for item in data["matrices"] if item["instance"] < 0} == {"FC", "weights"}


def test_traces_are_those_of_the_instances_that_kept_series(page: str) -> None:
    traces = data_of(page)["traces"]
    assert len(traces["instances"]) == 10
    assert [item["label"] for item in traces["exposures"]] == ["E (kHz)", "I (kHz)"]
    assert traces["lines"] == ["mean over regions", REGIONS[0], REGIONS[4], REGIONS[7]]
    assert traces["stop"] == 900.0
    values = unpacked(traces["values"])
    assert values.shape[:3] == (10, 2, 4)
    assert 0.0 <= values.min() < 1e-4
    assert 0.0199 < values.max() <= 0.02


def test_all_that_diverged_is_told(page: str) -> None:
    assert "4 of 120 left the finite numbers" in page
    assert "1,234" in page
    assert re.search(r"0\.8</th><td>4 of 24</td>.*?17 %", page, flags=re.DOTALL)


def test_nothing_comes_from_elsewhere(page: str) -> None:
    links = re.findall(r"<[a-z][^>]*?\b(?:src|href|srcset|action)=\"([^\"]*)\"", page)
    assert [link for link in links if not link.startswith(("#", "data:"))] == []
    assert len(links) > 5
    assert "url(" not in page
    assert "@import" not in page


def test_the_policy_names_the_script_and_the_style_that_are_there(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    for tag, directive in (("<script>", "script-src"), ("<style>", "style-src")):
        body = page.partition(tag)[2].partition("</" + tag[1:])[0]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy[1].replace("&#39;", "'")
    assert "unsafe" not in policy[1]


def test_hostile_names_stay_texts(tmp_path: Path) -> None:
    write_database(tmp_path, Recipe(model=HOSTILE, region=HOSTILE))
    page = report_page(open_run(tmp_path))
    assert page.count("</script>") == 2
    assert "<img" not in page
    data = data_of(page)
    assert data["model"] == HOSTILE
    assert data["regions"][0] == HOSTILE


def test_seeds_are_repeats_that_can_be_averaged_or_chosen(tmp_path: Path) -> None:
    write_database(tmp_path, Recipe(seeds=(1, 2, 3), arrays=False))
    data = data_of(report_page(open_run(tmp_path)))
    assert data["axes"][-1]["name"] == "seed"
    assert data["axes"][-1]["texts"] == ["1", "2", "3"]
    assert data["traces"] is None


def test_a_single_point_has_no_maps(tmp_path: Path, empty_recipe: Recipe) -> None:
    write_database(tmp_path, empty_recipe)
    page = report_page(open_run(tmp_path))
    assert 'id="maps"' not in page
    assert "1 instance at one point" in page
    assert "Not in this run: time traces." in page
    assert "--keep" in page


def test_a_run_without_metrics_shows_traces_and_says_what_is_missing(series_folder: Path) -> None:
    page = report_page(open_run(series_folder))
    data = data_of(page)
    assert "Not in this run: metrics" in page
    assert "--metrics table2" in page
    assert [item["name"] for item in data["metrics"]] == ["mean_E", "sd_E", "mean_I", "sd_I"]
    means = unpacked(data["cells"]["means"])
    times = np.arange(400, 800) + 0.5
    expected = 0.01 * 0.2 * (1 + 0.5 * np.sin(times / 20)).mean()
    assert means[0, 0] == pytest.approx(expected, rel=1e-5)
    assert means[2, 0] == pytest.approx(2 * expected, rel=1e-5)
    assert np.isnan(means[:, 5]).all()
    assert data["traces"]["isGrid"] is True
    assert data["traces"]["shape"] == [6, 2, 4, 320]
    assert data["traces"]["divergedAt"] == [-1, -1, -1, -1, -1, 4001]


def test_what_is_unfinished_is_told(tmp_path: Path) -> None:
    path = write_database(tmp_path, Recipe())
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM instances WHERE instance >= 100")
    assert "Not in this run: 20 of 120 instances." in report_page(open_run(tmp_path))


def test_files_are_written_whole_or_not_at_all(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    path = write_report(run_folder, tmp_path / "new" / "page.html")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [item.name for item in path.parent.iterdir()] == ["page.html"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ResultError, match="is not a folder"):
        write_report(run_folder, tmp_path / "file" / "page.html")


@pytest.mark.parametrize("array", [np.zeros((3, 3)), np.zeros(8), np.full((8, 8), "text"), np.array([[None] * 8] * 8)])
def test_references_that_are_no_matrices_give_one_message(tmp_path: Path, array: np.ndarray) -> None:
    write_database(tmp_path, Recipe(g=(0.4,)))
    np.savez(tmp_path / "references.npz", weights=array)
    with pytest.raises(ResultError, match=r"references\.npz"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [("8x8", "float32"), ("900000x900000/2", "float32"), ("8x8/2", "object"), ("8x9/2", "f4"), ("", "f4")],
)
def test_arrays_that_are_not_what_they_claim_give_one_message(tmp_path: Path, shape: str, dtype: str) -> None:
    path = write_database(tmp_path, Recipe(g=(0.4,)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE arrays SET shape = ?, dtype = ? WHERE name = 'FC'", (shape, dtype))
    with pytest.raises(ResultError, match="the database holds"):
        report_page(open_run(tmp_path))


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\0" * 200])
def test_damaged_databases_give_one_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "results.sqlite").write_bytes(content)
    with pytest.raises(ResultError):
        open_run(tmp_path)


def test_folders_without_a_run_give_one_message(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="no folder"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(ResultError, match="no results"):
        open_run(tmp_path)
