"""Static figures: each kind in each format, and one message for each thing that cannot be drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ResultError
from ratemlx.report import Request, write_figure
from ratemlx.report.cells import make_cells
from ratemlx.report.colours import COOLWARM, VIRIDIS
from ratemlx.report.figures import _norm, _piles, _title
from ratemlx.report.open import open_run
from ratemlx.report.select import parse_at, select
from tests.report.runs import Recipe, metrics_of, write_database

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize(
    ("kind", "ending", "request_"),
    [
        ("heatmap", "svg", Request(metrics=("mean_rate_E",), logarithmic=True)),
        ("heatmap", "png", Request(metrics=("skew_E",), x="tau_w_e", y="global_coupling", at={"b_e": 40.0})),
        ("fc", "pdf", Request()),
        ("distribution", "png", Request()),
        ("distribution", "svg", Request(metrics=("mean_FC_E",))),
    ],
)
def test_figures_are_drawn(run_folder: Path, tmp_path: Path, kind: str, ending: str, request_: Request) -> None:
    path = tmp_path / f"figure.{ending}"
    write_figure(run_folder, kind, path, request_)
    assert path.read_bytes().startswith(STARTS[ending])


def test_traces_are_drawn_as_a_grid(series_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "traces.svg"
    write_figure(series_folder, "traces", path, Request())
    text = path.read_text(encoding="utf-8")
    for words in ("global_coupling = 0.6", "b_e = 60 pA", "time (ms)", "E, I (kHz)"):
        assert words in text


def test_long_names_leave_room_for_the_traces(run_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "traces.svg"
    request = Request(x="global_coupling", y="conduction_speed", at={"b_e": 80.0, "tau_w_e": 500.0})
    write_figure(run_folder, "traces", path, request)  # matplotlib's warning that nothing fits is an error in tests
    assert "= 4 mm/ms" in path.read_text(encoding="utf-8")


def test_a_map_says_at_which_values_the_rest_stands(run_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "map.svg"
    write_figure(run_folder, "heatmap", path, Request(x="global_coupling", y="b_e", at={"tau_w_e": 700.0}))
    text = path.read_text(encoding="utf-8")
    assert "tau_w_e = 700 ms" in text
    assert "red: diverged" in text


def test_the_grid_of_a_view_is_that_of_the_metrics(run_folder: Path) -> None:
    cells = make_cells(open_run(run_folder))
    view = select(cells, {"x": "b_e", "y": "global_coupling"}, {"tau_w_e": 300.0, "conduction_speed": 4.0})
    values, lost = view.grid(2)
    assert values.shape == (1, 5, 4)
    assert values[0, 1, 2] == pytest.approx(metrics_of(0.2, 80.0, 300.0, 4.0, 42)[2])
    assert lost[0, 4].tolist() == [True, False, False, False]
    assert np.isnan(values[0, 4, 0])


@pytest.mark.parametrize(
    ("kind", "name", "request_", "message"),
    [
        ("heat", "a.png", Request(), "no figure is called heat"),
        ("heatmap", "a.jpg", Request(), "no ending"),
        ("heatmap", "a.png", Request(metrics=("mean_rat_E",)), "no metric is called mean_rat_E"),
        ("heatmap", "a.png", Request(x="g"), "g is not swept"),
        ("heatmap", "a.png", Request(x="b_e", y="b_e"), "one place only"),
        ("heatmap", "a.png", Request(at={"b_e": 41.0}), "no b_e = 41"),
        ("heatmap", "a.png", Request(metrics=("fitness", "skew_E")), "a map shows one metric"),
        ("heatmap", "a.png", Request(metrics=("skew_E",), logarithmic=True), "skew_E has values down to -0.4"),
        ("heatmap", "nowhere/a.png", Request(), "nowhere is not a folder"),
        ("heatmap", "a.png", Request(instance=0), "--instance says nothing about --kind heatmap"),
        ("fc", "a.png", Request(metrics=("fitness",)), "--metric says nothing about --kind fc"),
        ("fc", "a.png", Request(instance=0), "no matrix of instance 0"),
        ("traces", "a.png", Request(at={"conduction_speed": 2.0}, x="global_coupling", y="b_e"), ""),
        ("traces", "a.png", Request(x="global_coupling", y="b_e", at={"tau_w_e": 300.0, "conduction_speed": 4.0}), ""),
    ],
)
def test_what_cannot_be_drawn_is_told(
    run_folder: Path, tmp_path: Path, kind: str, name: str, request_: Request, message: str
) -> None:
    if not message:  # few instances kept series: those are drawn, the other places stay empty
        write_figure(run_folder, kind, tmp_path / name, request_)
        return
    with pytest.raises(ResultError, match=message):
        write_figure(run_folder, kind, tmp_path / name, request_)
    assert list(tmp_path.iterdir()) == []


def test_values_are_read_from_the_command_line() -> None:
    assert parse_at(["b_e=40", "tau_w_e = 5e2"]) == {"b_e": 40.0, "tau_w_e": 500.0}
    for text in ("b_e", "b_e=much"):
        with pytest.raises(ResultError, match="NAME=VALUE"):
            parse_at([text])


@pytest.mark.parametrize(("name", "stops"), [("viridis", VIRIDIS), ("coolwarm", COOLWARM)])
def test_colours_are_those_of_the_published_maps(name: str, stops: str) -> None:
    import matplotlib

    ours = np.array([[int(stop[place : place + 2], 16) for place in (0, 2, 4)] for stop in stops.split()])
    theirs = 255 * matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3]
    places = np.linspace(0, 1, len(ours))
    between = np.stack([np.interp(np.linspace(0, 1, 256), places, ours[:, channel]) for channel in range(3)], axis=1)
    assert np.abs(between - theirs).max() < 5


def test_one_parameter_makes_a_curve_for_each_value_of_another(run_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "curves.svg"
    at = {"tau_w_e": 500.0, "conduction_speed": 4.0}
    write_figure(run_folder, "heatmap", path, Request(("mean_rate_E",), x="global_coupling", facet="b_e", at=at))
    text = path.read_text(encoding="utf-8")
    assert "adex: mean_rate_E (Hz)" in text
    assert "b_e = 120 pA" in text
    one = tmp_path / "one"
    write_database(one, Recipe(b_e=(80.0,), tau=(500.0,), speed=(2.0,)))
    write_figure(one, "heatmap", path, Request(("mean_rate_E",)))
    assert "mean_rate_E (Hz)" in path.read_text(encoding="utf-8")


def test_colours_diverge_only_where_both_signs_matter() -> None:
    norm, name = _norm(np.array([-0.03, 0.37]), False)
    assert (norm.vmin, norm.vmax, name) == (-0.03, 0.37, "viridis")
    norm, name = _norm(np.array([-0.2, 0.37]), False)
    assert (norm.vmin, norm.vmax, name) == (-0.37, 0.37, "coolwarm")


def test_matrices_tell_whose_they_are(run_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "fc.svg"
    write_figure(run_folder, "fc", path, Request())
    text = path.read_text(encoding="utf-8")
    assert "global_coupling = 0.4, b_e = 80 pA, tau_w_e = 500 ms" in text
    assert text.count("FC off the diagonal") == 1  # one bar for all of them


def test_piles_hide_no_number() -> None:
    assert _piles(np.array([0.0, 0.0, 0.5, 1.0, 1.0, 1.0])).tolist() == [1, 2, 1, 1, 2, 3]


def test_titles_tell_what_the_whole_run_has_set(run_folder: Path) -> None:
    run = open_run(run_folder)
    run = replace(run, provenance={**run.provenance, "set": {"a_e": 4.0, "b_e": 1.0}})
    view = select(make_cells(run), {"x": "b_e", "y": "global_coupling"}, {"tau_w_e": 300.0, "conduction_speed": 4.0})
    title = "adex: fitness\ntau_w_e = 300 ms, conduction_speed = 4 mm/ms, a_e = 4 nS; red: diverged"
    assert _title(run, view, "fitness", "red: diverged") == title
