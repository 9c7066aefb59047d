"""The promise of bit-identical results, held by kernels that the generator writes, with noise on."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import ratemlx
from ratemlx.runtime import Connectome, Result

COUPLINGS = np.linspace(0.1, 0.9, 13)
RESPONSES = np.linspace(0.0, 100.0, 8)


@pytest.fixture(scope="module")
def simulate(small: Connectome) -> partial[Result]:
    """AdEx on five regions for 20 ms; 208 instances at two conduction speeds fill seven tiles of each."""
    positive = Connectome(np.abs(small.weights), small.tract_lengths, small.region_labels, "positive")
    return partial(ratemlx.simulate, "adex", connectome=positive, duration=20.0, initial={"W_e": 10.0})


@pytest.fixture(scope="module")
def whole(simulate: partial[Result]) -> Result:
    return simulate(sweep={"global_coupling": COUPLINGS, "b_e": RESPONSES, "conduction_speed": [3.0, 6.0]})


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 7, 16, 100])
def test_batches_and_threads(simulate: partial[Result], whole: Result, batch_size: int, threads: int) -> None:
    sweep = {"global_coupling": COUPLINGS, "b_e": RESPONSES, "conduction_speed": [3.0, 6.0]}
    found = simulate(sweep=sweep, batch_size=batch_size, threads=threads)
    assert whole.time_series.values.std() > 0
    assert found.time_series.values.tobytes() == whole.time_series.values.tobytes()


def test_order(simulate: partial[Result], whole: Result) -> None:
    shuffled = np.random.default_rng(3).permutation(208)
    names = ("global_coupling", "b_e", "conduction_speed")
    points = {name: whole.parameters[name].values[shuffled] for name in names}
    found = simulate(samples=points)
    assert found.time_series.values.tobytes() == whole.time_series.values[shuffled].tobytes()
