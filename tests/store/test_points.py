"""Numbers of points: equal points get the number of the earliest, and no others do."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemlx.errors import ResultError
from ratemlx.store import equal_points
from ratemlx.store.points import Points, Registry

VALUES = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2**-52, 5e-324, -3.5, 1e300])


def _grid(**axes: list[float]) -> Points:
    return Points("grid", {name: np.array(values) for name, values in axes.items()}, {})


@st.composite
def _sweep(draw: st.DrawFn) -> Points:
    kind = draw(st.sampled_from(["grid", "table"]))
    names = draw(st.permutations(["a", "b", "c"]))[: draw(st.integers(1, 3))]
    count = draw(st.integers(1, 4))
    axes = {name: np.array(draw(st.lists(VALUES, min_size=count, max_size=count))) for name in names}
    fixed = {name: draw(VALUES) for name in "abc" if name not in names}
    return Points(kind, axes, fixed)  # type: ignore[arg-type]


def _rows(points: Points) -> list[tuple[float, ...]]:
    """All points one by one, as plain Python does it."""
    axes = [values.tolist() for values in points.axes.values()]
    rows = list(product(*axes)) if points.kind == "grid" else list(zip(*axes, strict=True))
    found = [{**points.fixed, **dict(zip(points.axes, row, strict=True))} for row in rows]
    return [tuple(item[name] + 0.0 for name in "abc") for item in found]


@settings(max_examples=150, deadline=None)
@given(st.lists(_sweep(), min_size=1, max_size=4))
def test_like_a_dictionary_of_all_points(sweeps: list[Points]) -> None:
    registry = Registry()
    seen: dict[tuple[float, ...], int] = {}
    for sweep in sweeps:
        before = len(registry.sweeps)
        registration = registry.register(sweep)
        if len(registry.sweeps) == before:  # the same sweep was there already
            continue
        first = registration.first
        expected = [seen.setdefault(row, first + index) for index, row in enumerate(_rows(sweep))]
        assert registration.instances.tolist() == expected
        assert registration.new.tolist() == [first + index == number for index, number in enumerate(expected)]
        columns = registry.columns(np.arange(first, first + sweep.count))
        assert list(zip(*(columns[name].tolist() for name in "abc"), strict=True)) == _rows(sweep)


@settings(max_examples=30, deadline=None)
@given(st.lists(_sweep(), min_size=1, max_size=3))
def test_sweeps_survive_being_written(tmp_path_factory: pytest.TempPathFactory, sweeps: list[Points]) -> None:
    folder = tmp_path_factory.mktemp("run")
    registry = Registry()
    for sweep in sweeps:
        registry.register(sweep)
    again = Registry.from_json(folder, json.loads(json.dumps(registry.to_json(folder))))
    assert len(again.sweeps) == len(registry.sweeps)
    assert all(left.equals(right) for left, right in zip(registry.sweeps, again.sweeps, strict=True))


def test_points_with_equal_sums_by_chance_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_points, "_mixed", lambda _, values: (values > 2).astype(np.uint64))
    registry = Registry()
    assert registry.register(_grid(a=[1, 2, 3, 1, 3], b=[1])).instances.tolist() == [0, 1, 2, 0, 2]
    assert registry.register(_grid(a=[2, 4], b=[1, 3])).instances.tolist() == [1, 6, 7, 8]


def test_millions_of_points_need_no_table() -> None:
    registry = Registry()
    registry.register(_grid(a=list(range(1000)), b=list(range(500))))
    larger = registry.register(_grid(a=list(range(1100)), b=list(range(500))))
    assert int(larger.new.sum()) == 100 * 500
    assert (larger.instances[: 1000 * 500] == np.arange(1000 * 500)).all()


def test_what_varies() -> None:
    registry = Registry()
    registry.register(Points("grid", {"b": np.array([1.0, 2.0])}, {"a": 1.0, "c": 3.0}))
    registry.register(Points("grid", {"b": np.array([1.0, 2.0])}, {"a": 1.5, "c": 3.0}))
    assert registry.varied == ("b", "a")


def test_other_parameters_are_refused() -> None:
    registry = Registry()
    registry.register(_grid(a=[1]))
    with pytest.raises(ResultError, match="other parameters: b"):
        registry.register(_grid(a=[1], b=[1]))
    with pytest.raises(ResultError, match="instances 0 to 1 are not among the 1 known"):
        registry.columns(np.array([0, 1]))


def test_a_damaged_table_and_damaged_json_are_told(tmp_path: Path) -> None:
    registry = Registry()
    registry.register(Points("table", {"a": np.array([1.0, 2.0])}, {}))
    data = registry.to_json(tmp_path)
    (path,) = (tmp_path / "points").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ResultError, match="is damaged"):
        Registry.from_json(tmp_path, data)
    path.unlink()
    with pytest.raises(ResultError, match="cannot be read: No such file"):
        Registry.from_json(tmp_path, data)
    for wrong in ("text", [1], [{"kind": "grid"}], [{"kind": "grid", "fixed": {}, "axes": {"a": "x"}}]):
        with pytest.raises(ValueError, match=r"its sweeps are no list|its sweep 0 cannot be understood"):
            Registry.from_json(tmp_path, wrong)
