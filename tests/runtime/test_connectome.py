from __future__ import annotations

import numpy as np
import pytest

from ratemlx.errors import ConnectomeError
from ratemlx.runtime import Connectome, load_connectome
from ratemlx.runtime.edges import delays, edges

SQUARE = np.array([[0.0, 2.0], [6.0, 2.0]])
ONES = np.ones((2, 2))


def message(weights: object, lengths: object, labels: tuple[str, ...] = ()) -> str:
    with pytest.raises(ConnectomeError) as caught:
        Connectome(weights, lengths, labels, "mine")  # type: ignore[arg-type]
    return caught.value.message


def test_faults_are_told_exactly() -> None:
    bad = SQUARE.copy()
    bad[1, 0] = np.nan
    assert message(bad, ONES) == "mine: weights hold nan in row 1, column 0 (counted from 0)"
    assert message(np.full((2, 2), np.inf), ONES).startswith("mine: weights hold inf in row 0, column 0")
    assert message(ONES, -SQUARE) == "mine: the tract length from region 1 to region 0 is negative (-2 mm)"
    assert message(np.ones((2, 3)), ONES) == "mine: weights are 2 x 3, not a square matrix"
    assert message(ONES, np.ones((3, 3))) == "mine: weights are for 2 regions, tract lengths for 3"
    assert message(np.ones((0, 0)), ONES) == "mine: weights are empty"
    assert message(ONES, ONES, ("a",)) == "mine: 1 region labels for 2 regions"
    assert message([["a", "b"], ["c", "d"]], ONES).startswith("mine: weights are not numbers")


def test_contents_cannot_be_changed_and_negative_weights_are_fine() -> None:
    connectome = Connectome(-SQUARE, ONES)
    with pytest.raises(ValueError, match="read-only"):
        connectome.weights[0, 0] = 1.0
    assert connectome.region_labels == ("region_0", "region_1")
    assert connectome.fingerprint == Connectome(-SQUARE, ONES).fingerprint != Connectome(SQUARE, ONES).fingerprint


def test_labels_are_harmless() -> None:
    labels = Connectome(ONES, ONES, ("a\x1b[31m\u202eb", "x" * 10_000)).region_labels
    assert labels == ("a?[31m?b", "x" * 200)


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("none", [[0, 2], [6, 2]]),
        ("max", [[0, 1 / 3], [1, 1 / 3]]),
        ("in-strength", [[0, 1], [0.75, 0.25]]),
        ("out-strength", [[0, 0.5], [1, 0.5]]),
    ],
)
def test_normalization(normalization: str, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(Connectome(SQUARE, ONES).normalized(normalization).weights, expected)


def test_normalization_leaves_zero_sums_and_refuses_unknown_names() -> None:
    np.testing.assert_array_equal(Connectome([[0, 1], [0, 1]], ONES).normalized("out-strength").weights[:, 0], 0)
    with pytest.raises(ConnectomeError) as caught:
        Connectome(ONES, ONES).normalized("out-strenth")
    assert str(caught.value).endswith("hint: did you mean out-strength or in-strength?")


def test_edges_are_rows_of_targets_without_zero_weights() -> None:
    found = edges(Connectome(SQUARE, [[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(found.begin, [0, 1, 3])
    np.testing.assert_array_equal(found.source, [1, 0, 1])
    np.testing.assert_array_equal(found.weight, [2, 6, 2])
    np.testing.assert_array_equal(found.length, [2, 3, 4])


def test_delays_of_the_reference_connectome() -> None:
    found = edges(load_connectome("tvb:68"))
    assert len(found) == 1244
    steps = delays(found, 3.0, 0.1)
    np.testing.assert_array_equal(steps, np.floor(found.length / 3.0 / 0.1 + 0.5))
    assert (steps.min(), steps.max()) == (27, 843)
    assert delays(found, 1.0, 0.1).max() == 2529


@pytest.mark.parametrize("size", [66, 68, 76, 96, 192])
def test_all_connectomes_of_tvb_data(size: int) -> None:
    connectome = load_connectome(f"tvb:{size}")
    assert (connectome.n_regions, connectome.name) == (size, f"tvb:{size}")
    assert not connectome.region_labels[0].startswith("region_")


def test_an_unknown_size_lists_those_there_are() -> None:
    with pytest.raises(ConnectomeError) as caught:
        load_connectome("tvb:67")
    assert str(caught.value) == (
        "error: tvb-data has no connectome of '67' regions\n  hint: known: tvb:66, tvb:68, tvb:76, tvb:96, tvb:192"
    )
