"""What rank 0 tells other ranks of a folder."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from ratemlx.runtime.stock import Stock


def test_a_fresh_run_of_millions_is_told_in_a_few_bytes() -> None:
    points = np.arange(5_000_000)
    stock = Stock.of(points, points, complete=False)
    assert len(pickle.dumps(stock)) < 500
    np.testing.assert_array_equal(stock.places, points)
    np.testing.assert_array_equal(stock.numbers_of(np.array([3, 7])), [3, 7])


@pytest.mark.parametrize("numbers", [[4, 5, 6], [0, 1, 0], [0, 2, 1]])
def test_numbers_that_are_not_places_are_told(numbers: list[int]) -> None:
    stock = pickle.loads(pickle.dumps(Stock.of(np.array(numbers), np.array([1]), complete=False)))
    np.testing.assert_array_equal(stock.places, [1])
    np.testing.assert_array_equal(stock.numbers_of(np.array([2, 0])), [numbers[2], numbers[0]])
