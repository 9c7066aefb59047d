"""The best instances are the same whatever they were cut into."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemlx.fitness import merge, rank

values = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.30000001, float("nan"), -1.0, float("inf")]), max_size=200)


@given(values, st.integers(1, 12), st.integers(1, 50), st.randoms(use_true_random=False))
def test_any_cut_gives_the_same_ranking(fitness: list[float], n: int, size: int, random: object) -> None:
    numbers = np.random.default_rng(7).permutation(1000)[: len(fitness)]
    whole = rank(np.array(fitness), numbers, n)
    plain = sorted((-value, int(number)) for value, number in zip(fitness, numbers, strict=True) if value == value)
    assert [(-value, int(number)) for value, number in zip(whole.fitness, whole.instances, strict=True)] == plain[:n]
    parts = [
        rank(np.array(fitness[first : first + size]), numbers[first : first + size], n)
        for first in range(0, len(fitness), size)
    ]
    random.shuffle(parts)  # type: ignore[attr-defined]
    merged = merge(parts, n)
    np.testing.assert_array_equal(merged.instances, whole.instances)
    np.testing.assert_array_equal(merged.fitness, whole.fitness)


def test_ties_go_to_the_lower_number_and_nothing_to_nan() -> None:
    best = rank(np.array([0.5, np.nan, 0.7, 0.5, 0.7]), np.array([9, 1, 8, 3, 2]), 3)
    assert best.instances.tolist() == [2, 8, 3]
    assert best.fitness.tolist() == [0.7, 0.7, 0.5]
    assert len(merge([])) == 0


@pytest.mark.parametrize("n", [1, 10])
def test_a_million_instances(n: int) -> None:
    fitness = np.random.default_rng(1).random(1_000_000).astype(np.float32)
    best = rank(fitness, np.arange(1_000_000), n)
    np.testing.assert_array_equal(best.instances, np.argsort(-fitness, kind="stable")[:n])
