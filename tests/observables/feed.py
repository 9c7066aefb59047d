"""Given series instead of a simulation: observers are fed from arrays, in chunks of any lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import ObservableSettings
from ratemlx.runtime.devices.base import Device

CAPACITY = 500
Array = NDArray[np.floating]


def layout_of(series: Array, device: Device, lanes: int | None = None, period: float = 1.0) -> Layout:
    """For series (instance, exposure, time, region) of exposures E, I, ..."""
    _, n_exposures, n_samples, n_regions = series.shape
    chosen = lanes or device.lanes("float32" if series.dtype == np.float32 else "float64")
    return Layout(n_regions, ("E", "I", "W")[:n_exposures], period, n_samples, chosen, series.dtype)


def observe(
    settings: ObservableSettings,
    series: Array,
    device: Device,
    cuts: Sequence[int] = (),
    lanes: int | None = None,
    period: float = 1.0,
) -> Mapping[str, Array]:
    """What observers find in series (instance, exposure, time, region); chunks end after `cuts` samples, cyclically."""
    layout = layout_of(series, device, lanes, period)
    lengths = list(_lengths(layout.n_samples, cuts or (CAPACITY,)))
    capacity = max(lengths) + 3
    observers = Observation(settings, layout).open(device)(len(series), capacity)
    queue, first, found = device.queue(), 0, {}
    for length in lengths:
        chunk = device.upload(_tiled(series[:, :, first : first + length], layout.lanes, capacity))
        for observer in observers:
            observer.take(chunk, first, length, queue)
        queue.synchronize()
        first += length
    for observer in observers:
        found |= observer.finish(queue)
    return found


def _lengths(total: int, cuts: Sequence[int]) -> Iterator[int]:
    index = 0
    while total > 0:
        yield min(cuts[index % len(cuts)], total)
        total -= cuts[index % len(cuts)]
        index += 1


def _tiled(chunk: Array, lanes: int, capacity: int) -> Array:
    """(instance, exposure, sample, region) to [tile][sample][exposure][region][lane]; what is not there is NaN."""
    n_instances, n_exposures, length, n_regions = chunk.shape
    tiles = -(-n_instances // lanes)
    rows = np.full((tiles * lanes, n_exposures, capacity, n_regions), np.nan, chunk.dtype)
    rows[:n_instances, :, :length] = chunk
    rows[n_instances:, :, :length] = chunk[-1]
    split = rows.reshape(tiles, lanes, n_exposures, capacity, n_regions)
    return np.ascontiguousarray(split.transpose(0, 3, 2, 4, 1))
