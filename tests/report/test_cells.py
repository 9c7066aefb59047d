"""Cells: one instance each where they fit, means otherwise, and never a diverged instance in a mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ResultError
from ratemlx.report.cells import BINS, MOST_LEVELS, level_texts, make_cells
from ratemlx.report.choose import choose, spread
from ratemlx.report.open import open_run
from ratemlx.report.pack import packed, script_json
from ratemlx.report.reduce import reduce_series, shorten
from ratemlx.report.run import NO_TRACES, Quantity, Run, Sweep, remembered
from ratemlx.report.select import select
from ratemlx.report.strips import dots
from ratemlx.report.summaries import FEW, RANKS, distribution, in_groups, shares, summarise


def made_run(points: np.ndarray, values: np.ndarray, diverged: np.ndarray | None = None) -> Run:
    """A run in memory that sweeps p0, p1, ... and has the metric m."""
    count, names = len(points), [f"p{index}" for index in range(points.shape[1])]
    columns = {name: points[:, index] for index, name in enumerate(names)} | {"m": values}
    return Run(
        folder=Path(),
        model="made",
        provenance={},
        sweeps=(Sweep(0, count, "points", {}, "", ""),),
        parameters=tuple(Quantity(name, "", "") for name in names),
        swept=tuple(names),
        metrics=(Quantity("m", "Hz", ""),),
        regions=(),
        instances=np.arange(count),
        seeds=np.zeros(count, dtype=np.int64),
        diverged_at=np.full(count, -1) if diverged is None else np.where(diverged, 7, -1),
        read=lambda wanted: np.stack([columns[name] for name in wanted], axis=1),
        traces=lambda _: NO_TRACES,
        traced=np.empty(0, dtype=np.int64),
        matrices=lambda _: (),
    )


def grid(*sizes: int) -> np.ndarray:
    axes = np.meshgrid(*[np.arange(size, dtype=float) for size in sizes], indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def test_a_small_grid_has_a_cell_for_each_instance() -> None:
    points = grid(4, 3)
    cells = make_cells(made_run(points, points[:, 0] * 10 + points[:, 1]))
    np.testing.assert_array_equal(cells.levels, points)
    np.testing.assert_array_equal(cells.means[:, 0], [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32])
    assert cells.remarks(made_run(points, points[:, 0])) == []


def test_repeats_share_a_cell_whose_mean_leaves_out_what_diverged() -> None:
    points = np.repeat(grid(2, 2), 3, axis=0)
    values = np.arange(12.0)
    cells = make_cells(made_run(points, values, diverged=np.arange(12) % 3 == 2))
    np.testing.assert_array_equal(cells.means[:, 0], [0.5, 3.5, 6.5, 9.5])
    np.testing.assert_array_equal(cells.count, [3, 3, 3, 3])
    np.testing.assert_array_equal(cells.diverged, [1, 1, 1, 1])


def test_points_are_put_into_bins_and_it_is_said(generator: np.random.Generator) -> None:
    points = generator.uniform(size=(5_000, 2))
    run = made_run(points, points[:, 0])
    cells = make_cells(run)
    assert [axis.size for axis in cells.axes] == [BINS, BINS]
    assert all(axis.binned for axis in cells.axes)
    assert np.abs(cells.means[:, 0] - cells.axes[0].values[cells.levels[:, 0]]).max() < 0.5 / BINS + 1e-9
    assert "Values of p0, p1 are put into bins." in cells.remarks(run)


def test_bins_are_logarithmic_over_many_decades(generator: np.random.Generator) -> None:
    points = np.exp(generator.uniform(np.log(1e-9), np.log(1e-4), size=(1_000, 1)))
    (axis,) = make_cells(made_run(points, points[:, 0])).axes
    counts = np.bincount(axis.level, minlength=BINS)
    assert counts.min() > 10


def test_a_million_instances_become_few_cells_with_exact_means() -> None:
    points = np.repeat(grid(60, 60, 28), 10, axis=0)[:1_000_000]
    values = points.sum(axis=1)
    run = remembered(made_run(points, values))
    cells = make_cells(run)
    assert len(cells.count) <= 40_000
    assert cells.count.sum() == 1_000_000
    total = float((cells.means[:, 0] * cells.count).sum())
    assert total == pytest.approx(float(values.sum()), rel=1e-12)
    assert any("1,000,000 instances" in line for line in cells.remarks(run))
    ((ranked, _), *_) = [(summarise(run)[1][0], None)]
    np.testing.assert_array_equal(values[ranked.highest], np.sort(values)[::-1][:RANKS])


def test_levels_are_told_apart() -> None:
    assert level_texts(np.array([0.1, 0.10001])) == ("0.1", "0.10001")
    assert level_texts(np.linspace(0, 0.8, 4)) == ("0", "0.267", "0.533", "0.8")
    assert len(set(level_texts(np.linspace(0, 1, MOST_LEVELS)))) == MOST_LEVELS


def test_traces_are_chosen_evenly(run_folder: Path) -> None:
    run = open_run(run_folder)
    cells = make_cells(run)
    chosen = choose(cells.axes, cells, run.instances, most=24)
    assert chosen.is_grid
    assert len(chosen.instances) <= 24
    assert {tuple(row) for row in chosen.levels[[0, -1]].tolist()} == {(0, 0, 0, 0), (4, 3, 2, 1)}
    assert spread(9, 3) == [0, 4, 8]


def test_no_extreme_of_a_series_is_lost(generator: np.random.Generator) -> None:
    line = generator.standard_normal((1, 10_000))
    line[0, 4_321] = 50.0
    short = shorten(line)
    assert short.shape == (1, 320)
    assert short.max() == 50.0
    assert short.min() == line.min()


def test_what_is_not_finite_leaves_gaps_only() -> None:
    series = np.ones((1, 2_000, 4))
    series[0, 1_000:, 1] = np.inf
    series[0, 1_500:] = np.nan
    reduced = reduce_series(series)
    assert reduced.shape == (1, 4, 320)
    np.testing.assert_array_equal(reduced[0, 0, :240], 1.0)
    assert np.isnan(reduced[0, :, 240:]).all()


def test_distributions_count_every_number() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
    found = distribution(Quantity("m", "", ""), values, n_diverged=1)
    assert (found.total, found.n_missing, found.quartiles) == (3, 1, (1.5, 2.0, 2.5))
    constant = distribution(Quantity("m", "", ""), np.full(4, 7.0))
    assert (constant.total, len(constant.counts)) == (4, 1)
    assert distribution(Quantity("m", "", ""), np.full(4, np.nan)).total == 0


def test_shares_of_what_diverged_add_up(run_folder: Path) -> None:
    run = open_run(run_folder)
    found = shares(run, make_cells(run).axes)
    assert [item.diverged for item in found["global_coupling"]] == [0, 0, 0, 0, 4]
    assert [item.diverged for item in found["tau_w_e"]] == [2, 0, 2]


def test_large_values_and_script_ends_are_written_safely() -> None:
    assert packed(np.array([1e300]), "f4")["shape"] == [1]
    text = script_json({"name": "</script><!--\u2028&"})
    assert not set("<>&\u2028") & set(text)
    with pytest.raises(ValueError, match="JSON"):
        script_json({"value": float("nan")})


def test_columns_are_read_once() -> None:
    calls = []
    run = made_run(grid(3, 3), np.arange(9.0))
    kept = remembered(replace(run, read=lambda names: (calls.append(tuple(names)), run.read(names))[1]))
    kept.read(["m"])
    kept.read(["p0", "m"])
    assert calls == [("p0", "p1", "m")]


def test_few_numbers_are_dots_that_do_not_touch() -> None:
    found = distribution(Quantity("m", "", ""), np.array([1.0, 1.0, 1.0, 2.0, 3.0, np.nan]))
    assert found.values.tolist() == [1.0, 1.0, 1.0, 2.0, 3.0]
    placed = dots(found)
    assert [dot.x for dot in placed] == pytest.approx([3.0, 3.0, 3.0, 120.0, 237.0])
    assert [dot.y for dot in placed] == pytest.approx([53.0, 47.0, 41.0, 53.0, 53.0])
    same = dots(distribution(Quantity("m", "", ""), np.full(FEW, 7.0)))
    assert {dot.x for dot in same} == {120.0}
    assert min(dot.y for dot in same) >= 3.0
    many = distribution(Quantity("m", "", ""), np.linspace(0.0, 1.0, FEW + 1))
    assert dots(many) == []
    assert many.counts.sum() == FEW + 1


def test_distributions_are_grouped_by_exposure_and_family() -> None:
    named = (("a", "E", "one"), ("b", "E", "two"), ("c", "I", "one"), ("d", "E", "one"), ("mean_FC_E", "E", "FC"))
    many = [(f"e{index}", "I", "three") for index in range(12)]
    made = [
        distribution(Quantity(name, "", "", exposure, None, family), np.ones(2))
        for name, exposure, family in (*named, *many)
    ]
    first, groups = in_groups(made)
    assert [item.quantity.name for item in first] == ["mean_FC_E", "a", "b", "e0", "c", "d", "e1", "e2"]
    assert [item.quantity.name for item in groups["E"]] == ["a", "d", "b", "mean_FC_E"]
    assert len(groups["I"]) == 13


def test_a_level_is_found_as_it_is_told() -> None:
    """A third is told as 0.333, which is no value of the sweep."""
    cells = make_cells(made_run(grid(4, 4, 2) / 3, np.arange(32.0)))
    told = cells.axes[2].texts[1]
    assert told == "0.333"
    assert select(cells, {"x": "p0", "y": "p1"}, {"p2": float(told)}).fixed == {2: 1}
    with pytest.raises(ResultError, match=r"no p2 = 0\.3"):
        select(cells, {"x": "p0", "y": "p1"}, {"p2": 0.3})
