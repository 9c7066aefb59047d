"""From samples as a device has them to series by instance, shared among threads: it must keep up with a GPU.

Knows arrays' layout, and nothing of devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor

from ratemlx.runtime.arrays import AnyArray

TILES = 16
"""Tiles that a thread takes at a time."""


def sort_samples(samples: AnyArray, series: AnyArray, first: int, threads: Executor | None = None) -> None:
    """Put `samples`, [tile][sample][exposure][region][lane], into `series`, (instance, exposure, time, region).

    They begin at time `first`; what pads the last tile is left out. Both arrays are NumPy's, or both CuPy's.
    """
    lanes = samples.shape[-1]
    parts = _parts(len(samples), TILES if threads else len(samples))

    def work(part: tuple[int, int]) -> None:
        begin, end = part
        _sort(samples[begin:end], series[begin * lanes : end * lanes], first)

    if threads is None:
        for part in parts:
            work(part)
    else:
        # A list, so that what fails in a thread is raised here.
        list(threads.map(work, parts))


def _parts(tiles: int, size: int) -> Iterator[tuple[int, int]]:
    return ((begin, min(begin + size, tiles)) for begin in range(0, tiles, max(1, size)))


def _sort(samples: AnyArray, series: AnyArray, first: int) -> None:
    _, count, observed, regions, lanes = samples.shape
    times, turned = slice(first, first + count), samples.transpose(0, 4, 2, 1, 3)
    whole, rest = divmod(len(series), lanes)
    by_tile = series[: whole * lanes].reshape(whole, lanes, observed, series.shape[2], regions)
    by_tile[:, :, :, times] = turned[:whole]
    if rest:
        series[whole * lanes :, :, times] = turned[whole, :rest]
