from __future__ import annotations

from ratemlx.bench.memory import measure_peaks

SERIES_OF_180 = 180 * 2 * 68 * 1600 * 4
"""Bytes of what the larger sweep has more of."""


def test_memory_does_not_grow_with_the_number_of_instances() -> None:
    few, many = measure_peaks([20, 200], ("--batch-size", "16", "--threads", "2"))
    assert (few.instances, many.instances) == (20, 200)
    assert few.bytes > 50e6
    # A few MiB come and go with the moment at which threads ask for them.
    assert many.bytes - few.bytes < SERIES_OF_180 / 5
