"""Samples of tiles into series by instance: any number of instances, of threads, and where the series stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ratemlx.runtime.sorting import TILES, sort_samples


@pytest.mark.parametrize("instances", [1, 7, 8, 9, 8 * TILES + 3, 8 * TILES * 2])
@pytest.mark.parametrize("threads", [0, 3])
def test_every_number_finds_its_place(instances: int, threads: int) -> None:
    tiles, samples, exposures, regions, lanes = -(-instances // 8), 4, 2, 3, 8
    given = np.random.default_rng(instances).random((tiles, samples, exposures, regions, lanes))
    series = np.zeros((instances, exposures, 10, regions))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        sort_samples(given, series, 5, pool if threads else None)
    assert not series[:, :, :5].any()
    assert not series[:, :, 9:].any()
    for instance in range(instances):
        expected = given[instance // lanes, :, :, :, instance % lanes].swapaxes(0, 1)
        np.testing.assert_array_equal(series[instance, :, 5:9], expected)
    before = series.copy()
    sort_samples(given[:, :0], series, 10)
    np.testing.assert_array_equal(series, before)


def test_what_fails_in_a_thread_is_raised() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(ValueError, match="broadcast"):
        sort_samples(np.zeros((40, 4, 2, 3, 8)), np.zeros((320, 2, 3, 3)), 0, pool)
