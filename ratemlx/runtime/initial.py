"""States at the start: one value per variable and region, the same for all instances.

Drawn from a seed alone, so that instances differ by their parameters and not by their start. Knows no device.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ratemlx.abi import Manifest, StateInfo
from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import Floats, did_you_mean
from ratemlx.runtime.connectome import Connectome
from ratemlx.runtime.regional import by_region


def initial_state(manifest: Manifest, connectome: Connectome, seed: int, given: Mapping[str, object]) -> Floats:
    """States of shape (variable, region), as given or as the model says; raises SweepError.

    What is given is a number, or one per region in an array, a mapping from labels, or a file ("@values.csv").

    Where the model states a range, each region's start is drawn from it uniformly; the stream is named by the
    variable, so that a variable's start does not depend on which others there are.
    """
    n_regions = connectome.n_regions
    known = [info.name for info in manifest.state_variables]
    for name in given:
        if name not in known:
            raise SweepError(f"{manifest.model} has no state variable {name!r}", did_you_mean(name, known))
    rows = [
        _given(info.name, given[info.name], connectome) if info.name in given else _drawn(info, n_regions, seed)
        for info in manifest.state_variables
    ]
    return np.array(rows, dtype=np.float64).reshape(len(known), n_regions)


def _drawn(info: StateInfo, n_regions: int, seed: int) -> Floats:
    low, high = info.initial
    if low == high:
        return np.full(n_regions, low)
    stream = zlib.crc32(info.name.encode())
    return np.random.Generator(np.random.Philox(key=[seed, stream])).uniform(low, high, n_regions)


def _given(name: str, value: object, connectome: Connectome) -> Floats:
    what, n_regions = f"the start of {name}", connectome.n_regions
    if isinstance(value, str | Path | Mapping):
        return by_region(value, connectome, what)
    try:
        values = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise SweepError(f"{what} is not a number or an array of numbers") from None
    if values.shape not in ((), (1,), (n_regions,)):
        shape = " x ".join(str(size) for size in values.shape)
        raise SweepError(f"{what} has {shape} values; one, or one per region ({n_regions}), is expected")
    if not np.isfinite(values).all():
        raise SweepError(f"{what} is not finite")
    row: Floats = np.broadcast_to(values, (n_regions,)).copy()
    return row
