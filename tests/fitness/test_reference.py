"""References are read in every form, put onto the connectome's regions by name, and refused in one message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import MetricError
from ratemlx.fitness.order import region_order
from ratemlx.fitness.reference import load_fc, load_values
from ratemlx.runtime import load_connectome
from tests.fitness.made import LABELS, saved, some_fc

TURNED = ("l_b", "r_a", "l_a", "r_c", "r_b")
PLACES = [4, 0, 3, 2, 1]
FC = some_fc()[0]


def as_csv(matrix: np.ndarray, names: tuple[str, ...] = ()) -> str:
    rows = [",".join(names)] if names else []
    return "\n".join([*rows, *(",".join(map(repr, row)) for row in matrix.tolist())])


@pytest.mark.parametrize(
    ("name", "content", "order"),
    [
        ("fc.npy", FC, "order.json"),
        ("fc.npy", FC.astype(np.float32), "order.txt"),
        ("fc.npz", {"fc": FC, "labels": np.array(TURNED)}, None),
        ("fc.npz", {"empirical": FC, "region_labels": np.array(TURNED)}, None),
        ("fc.npz", {"FC": FC, "other": np.zeros(3)}, "numbers.json"),
        ("fc.csv", as_csv(FC, TURNED), None),
        ("fc.csv", as_csv(FC), "several.json:second"),
        ("fc.txt", as_csv(FC).replace(",", " "), "one.json"),
        ("fc.npz", {"fc": FC, "labels": np.array(LABELS)}, "order.json"),
    ],
)
def test_forms_of_references_and_of_orders(name: str, content: object, order: str | None, tmp_path: Path) -> None:
    saved(tmp_path, "order.json", TURNED)
    saved(tmp_path, "order.txt", "# name x y z\nL_B 1 2 3\nR_A 0 0 0\nL_A, 1\nR_C\nR_B\n")
    saved(tmp_path, "numbers.json", PLACES)
    saved(tmp_path, "several.json", {"first": list(range(5)), "second": PLACES, "note": "text"})
    saved(tmp_path, "one.json", {"order": TURNED})
    given = None if order is None else str(tmp_path / order)
    found = load_fc(saved(tmp_path, name, content), given, LABELS, ("E", "I"))
    assert found.regions.tolist() == PLACES
    np.testing.assert_allclose(found.values, FC[None], atol=1e-7)
    np.testing.assert_array_equal(found.matrix(1), found.matrix(0))


def test_one_matrix_for_each_exposure(tmp_path: Path) -> None:
    both = np.moveaxis(some_fc(2), 0, -1)
    found = load_fc(saved(tmp_path, "fc.npy", both), "connectome", LABELS, ("E", "I"))
    for index in range(2):
        np.testing.assert_allclose(found.matrix(index), both[..., index])


def test_freesurfers_orders_are_those_of_the_reference_data(reference: Path) -> None:
    known = json.loads((reference / "fc" / "region_order.json").read_text())
    labels = load_connectome("tvb:68").region_labels
    for name in ("DKrl", "DKlr"):
        assert region_order(name, (), labels, 68, "fc.npy").tolist() == known[name]
        from_file = region_order(f"{reference / 'fc' / 'region_order.json'}:{name}", (), labels, 68, "fc.npy")
        assert from_file.tolist() == known[name]


def test_a_reference_may_be_of_some_regions(tmp_path: Path) -> None:
    path = saved(tmp_path, "fc.npz", {"fc": FC[:3, :3], "labels": np.array(["l_a", "r_c", "r_a"])})
    assert load_fc(path, None, LABELS, ("E",)).regions.tolist() == [3, 2, 0]


def with_nan(matrix: np.ndarray) -> np.ndarray:
    broken = matrix.copy()
    broken[1, 3] = np.nan
    return broken


@pytest.mark.parametrize(
    ("name", "content", "order", "message"),
    [
        ("fc.npy", FC, None, "the order of the regions in fc.npy is not known"),
        ("fc.npy", FC[:4], "connectome", "fc.npy is 4 x 5, not a matrix of regions x regions"),
        ("fc.npy", FC[0], "connectome", "fc.npy is 5, not a matrix of regions x regions"),
        ("fc.npy", FC[:4, :4], "connectome", "fc.npy has 4 regions, the connectome has 5"),
        ("fc.npy", np.stack([FC] * 3, axis=-1), "connectome", "fc.npy holds 3 matrices, and fitness is taken of 2"),
        ("fc.npy", with_nan(FC), "connectome", "fc.npy holds nan in row 1, column 3 (counted from 0)"),
        ("fc.npy", np.array([{"a": 1}]), "connectome", "fc.npy holds pickled Python objects, which could run code"),
        ("fc.npy", FC.astype(complex), "connectome", "fc.npy does not hold real numbers, but complex128"),
        ("fc.npy", np.triu(FC), "connectome", "fc.npy is not symmetric: row "),
        ("fc.npy", np.eye(5), "connectome", "fc.npy has nothing to compare with: its entries off the diagonal"),
        ("fc.npz", {"a": FC, "b": FC}, "connectome", "it is not clear which array of fc.npz is the reference"),
        ("fc.npz", {"fc": FC, "labels": np.arange(5)}, None, "the labels of a reference must be one text for each"),
        ("fc.csv", as_csv(FC[:3]) + "\n1,2", "connectome", "fc.csv, line 4: 2 columns where 5 are expected"),
        ("fc.csv", as_csv(FC).replace("1.0", "one"), "connectome", "fc.csv, line 1: 'one' is not a number"),
        (
            "fc.csv",
            as_csv(FC, ("r_a", "r_b", "r_c", "l_a", "l_x")),
            None,
            "fc.csv: 1 of 5 regions are not in the connectome",
        ),
        ("fc.csv", as_csv(FC, ("r_a", "r_b", "r_c", "l_a", "R_A")), None, "fc.csv names the region r_a more than once"),
        ("fc.mat", "MATLAB", "connectome", "fc.mat is not a kind of reference that can be read"),
        ("fc.npy", FC, "nowhere.json", "there is no order of regions '"),
        ("fc.npy", FC, "bad.json", "bad.json is not JSON: "),
        ("fc.npy", FC, "mixed.json", "mixed.json holds no list of names or numbers of regions"),
        ("fc.npy", FC, "two.json", "two.json has 2 orders"),
        ("fc.npy", FC, "two.json:c", "two.json has no order 'c'"),
        ("fc.npy", FC, "two.json:a", "two.json:a: 7 is no region"),
        ("fc.npy", FC, "two.json:b", "two.json:b names the region 1 more than once"),
        ("fc.npy", FC, "DKrl", "the order DKrl: 68 of 68 regions are not in the connectome, first 'r_bankssts'"),
    ],
)
def test_bad_references_give_one_message(
    name: str, content: object, order: str | None, message: str, tmp_path: Path
) -> None:
    saved(tmp_path, "bad.json.txt", "").rename(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text("[" * 100_000)
    saved(tmp_path, "mixed.json", [1, 2.5])
    saved(tmp_path, "two.json", {"a": [0, 1, 2, 3, 7], "b": [0, 1, 1, 2, 3]})
    given = str(tmp_path / order) if order and "json" in order else order
    path = saved(tmp_path, name, content)
    with pytest.raises(MetricError) as caught:
        load_fc(path, given, LABELS, ("E", "I"))
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for name in ("none.npy", "none.npz", "none.csv"):
        with pytest.raises(MetricError) as caught:
            load_fc(tmp_path / name, "connectome", LABELS, ("E",))
        assert caught.value.message == f"{name} does not exist"


def test_values_of_distributions(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random((4, 5))
    for path in (
        saved(tmp_path, "v.npy", values),
        saved(tmp_path, "v.npz", {"fcd": values}),
        saved(tmp_path, "v.csv", as_csv(values)),
    ):
        np.testing.assert_array_equal(load_values(path), values.ravel())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: np.array([1.0, np.inf]), "v.npy holds values that are not finite numbers"),
        (lambda: np.empty(0), "v.npy holds no values"),
        (lambda: np.zeros(10_000_001, np.float16), "v.npy holds 10,000,001 values, more than the 10,000,000 supported"),
    ],
)
def test_bad_values_give_one_message(make: Callable[[], np.ndarray], message: str, tmp_path: Path) -> None:
    with pytest.raises(MetricError) as caught:
        load_values(saved(tmp_path, "v.npy", make()))
    assert caught.value.message == message
