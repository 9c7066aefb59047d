from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from ratemlx.abi import Manifest
from ratemlx.errors import SweepError
from ratemlx.runtime.identity import identities
from ratemlx.runtime.parameters import outside_range, parameter_table, split_overrides
from ratemlx.runtime.repeats import repeated_points
from ratemlx.runtime.settings_text import parse_settings
from ratemlx.runtime.sweep import Sweep, grid, table
from ratemlx.runtime.sweep_text import parse_axes, read_points


def test_the_product_is_in_c_order(manifest: Manifest) -> None:
    sweep = grid(manifest, {"drive": [1.0, 2.0], "coupling": (0.0, 0.1, 3), "conduction_speed": 4})
    assert (sweep.names, sweep.shape, sweep.n_instances) == (("drive", "coupling", "conduction_speed"), (2, 3, 1), 6)
    columns = sweep.columns()
    np.testing.assert_array_equal(columns["drive"], [1, 1, 1, 2, 2, 2])
    np.testing.assert_allclose(columns["coupling"], [0, 0.05, 0.1] * 2)
    np.testing.assert_array_equal(columns["conduction_speed"], [4] * 6)


def test_ranges_follow_the_scale_of_the_model(manifest: Manifest) -> None:
    axes = grid(manifest, {"sigma": (1e-4, 1e-2, 3)}).columns()
    np.testing.assert_allclose(axes["sigma"], [1e-4, 1e-3, 1e-2])


def test_text(manifest: Manifest) -> None:
    axes = parse_axes(
        manifest, ["drive=0.5:1:2", "sigma=1e-4:1e-2:3", "coupling=log:0.001:0.1:3", "conduction_speed= 1, 2 "]
    )
    assert list(axes) == ["drive", "sigma", "coupling", "conduction_speed"]
    np.testing.assert_allclose(axes["drive"], [0.5, 1])
    np.testing.assert_allclose(axes["sigma"], [1e-4, 1e-3, 1e-2])
    np.testing.assert_allclose(axes["coupling"], [0.001, 0.01, 0.1])
    np.testing.assert_allclose(axes["conduction_speed"], [1, 2])
    np.testing.assert_allclose(parse_axes(manifest, ["sigma=lin:0:1:3"])["sigma"], [0, 0.5, 1])
    assert parse_settings(["tau=5", "drive = 1e-3"]) == {"tau": 5.0, "drive": 1e-3}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drive", "cannot read the sweep 'drive'"),
        ("drive=0:1:0", "drive: a range needs at least one point; 0 were asked for"),
        ("drive=0:1:0.1", "drive: the count '0.1' is not a whole number"),
        ("drive=0:1:1000000000000000", "the sweep has 1,000,000,000,000,000 points, more than the 1,000,000,000"),
        ("drive=0:nan:3", "drive: the range 0.0 to nan is not finite"),
        ("drive=log:0:1:3", "drive: a logarithmic range must be above zero; it runs from 0 to 1"),
        ("drive=0:1", "drive: '0:1' is not START:STOP:COUNT"),
        ("drive=1,,2", "drive: '' is not a number"),
        ("drive=__import__('os')", "drive: \"__import__('os')\" is not a number"),
        ("tau=1,2", "tau is a constant of linear and cannot be swept"),
        ("copling=0:1:2", "linear has no parameter 'copling'"),
    ],
)
def test_text_that_is_refused(manifest: Manifest, text: str, expected: str) -> None:
    with pytest.raises(SweepError) as caught:
        parse_axes(manifest, [text])
    assert caught.value.message.startswith(expected)


def test_hints(manifest: Manifest) -> None:
    with pytest.raises(SweepError) as caught:
        grid(manifest, {"copling": [1]})
    assert str(caught.value) == "error: linear has no parameter 'copling'\n  hint: did you mean coupling?"


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({"drive": []}, "drive: there are no values"),
        ({"drive": [1, np.inf]}, "drive: value 2 (counted from 1) is not finite"),
        ({"drive": np.ones((2, 2))}, "drive: the values have 2 dimensions; one is expected"),
        ({"drive": ["a"]}, "drive: the values are not numbers"),
        ({"drive": (0.1, 0.2, 0.3)}, "drive: a tuple is a range (start, stop, count) whose count is a whole number"),
        ({"drive": (0.0, 1.0, 10**15)}, "the sweep has 1,000,000,000,000,000 points"),
        ({"drive": (0.0, 1.0, 10**5), "coupling": (0.0, 1.0, 10**5)}, "the sweep has 10,000,000,000 points"),
    ],
)
def test_axes_that_are_refused_at_once(manifest: Manifest, axes: dict[str, object], expected: str) -> None:
    started = time.process_time()
    with pytest.raises(SweepError) as caught:
        grid(manifest, axes)
    assert caught.value.message.startswith(expected)
    assert time.process_time() - started < 0.2


def test_tables(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("drive,coupling\n1,0.1\n2,0.2\n")
    np.savez(tmp_path / "points.npz", drive=[1, 2], coupling=[0.1, 0.2])
    structured = np.array([(1, 0.1), (2, 0.2)], dtype=[("drive", float), ("coupling", float)])
    sources = (
        tmp_path / "points.csv",
        str(tmp_path / "points.npz"),
        structured,
        {"drive": [1, 2], "coupling": [0.1, 0.2]},
    )
    for source in sources:
        sweep = table(manifest, read_points(source))
        assert (sweep.kind, sweep.shape) == ("table", (2,))
        np.testing.assert_array_equal(sweep.columns()["drive"], [1, 2])
        np.testing.assert_array_equal(sweep.columns()["coupling"], [0.1, 0.2])
    with pytest.raises(SweepError, match="columns differ in length: drive 2, coupling 1"):
        table(manifest, {"drive": [1, 2], "coupling": [1]})


def test_a_column_may_stand_in_a_table_once(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("drive,coupling,drive\n1,0.1,3\n2,0.2,4\n")
    with pytest.raises(SweepError) as caught:
        read_points(tmp_path / "points.csv")
    assert caught.value.message == "points.csv: drive is swept twice"


def test_a_value_that_is_not_finite_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("drive,coupling\n# a remark\n1,0.1\n\n2,nan\n")
    with pytest.raises(SweepError) as caught:
        read_points(tmp_path / "points.csv")
    assert caught.value.message == "points.csv, line 5: coupling is not finite"


def test_repeated_points_are_remarked(manifest: Manifest) -> None:
    said = "an earlier one; equal points get equal noise, and other noise needs another seed"
    assert repeated_points(table(manifest, {"drive": [1, 2, 1], "coupling": [0.1, 0.1, 0.1]})) == (
        f"1 point repeats {said}",
    )
    assert repeated_points(table(manifest, {"drive": [1, 2, 1], "coupling": [0.1, 0.1, 0.2]})) == ()
    assert repeated_points(grid(manifest, {"drive": [1, 2, 1], "coupling": [0.1, 0.2]})) == (f"2 points repeat {said}",)
    assert repeated_points(grid(manifest, {})) == ()


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_speeds_must_be_positive(manifest: Manifest, speed: float) -> None:
    with pytest.raises(SweepError) as caught:
        parameter_table(manifest, {}, 1, {"conduction_speed": speed})
    assert caught.value.message == f"conduction_speed must be above zero; it is {speed:g} mm/ms"


def test_values_outside_the_range_are_remarked(manifest: Manifest) -> None:
    found = parameter_table(manifest, {"drive": np.array([-0.5, 2.0])}, 2, {"coupling": 0.1})
    assert outside_range(manifest, found) == ("drive = -0.5 to 2 leaves the model's range of 0 to 1",)


def test_overrides_are_parameters_or_constants(manifest: Manifest) -> None:
    assert split_overrides(manifest, {"drive": 1, "tau": np.float32(2.0)}) == ({"drive": 1.0}, {"tau": 2.0})
    for given, expected in (
        ({"tua": 1}, "linear has no parameter or constant 'tua'"),
        ({"tau": [1, 2]}, "tau: one number is expected"),
        ({"drive": float("nan")}, "drive must be finite; it is nan"),
    ):
        with pytest.raises(SweepError) as caught:
            split_overrides(manifest, given)
        assert caught.value.message == expected


def words(manifest: Manifest, sweep: Sweep, fixed: dict[str, float]) -> dict[tuple[float, ...], tuple[int, ...]]:
    found = parameter_table(manifest, sweep.columns(), sweep.n_instances, fixed)
    names = ("coupling", "drive", "sigma", "conduction_speed")
    every = np.arange(sweep.n_instances)
    pairs = zip(found.rows(names, every).tolist(), identities(found, every).tolist(), strict=True)
    return {tuple(row): tuple(pair) for row, pair in pairs}


def test_identity_belongs_to_the_values_and_not_to_the_sweep(manifest: Manifest) -> None:
    first = words(manifest, grid(manifest, {"drive": [0, 1], "coupling": [0.1, 0.2]}), {})
    turned = words(manifest, grid(manifest, {"coupling": [0.2, 0.1], "drive": [-0.0, 1, 2]}), {})
    alone = words(manifest, grid(manifest, {"drive": [1]}), {"coupling": 0.2})
    assert len(set(first.values())) == 4
    assert all(turned[point] == word for point, word in first.items())
    assert alone == {(0.2, 1.0, 0.01, 3.0): first[0.2, 1.0, 0.01, 3.0]}
    assert all(high < 2**24 for _, high in first.values())
    assert words(manifest, grid(manifest, {"conduction_speed": [3, 4]}), {}).__len__() == 2
