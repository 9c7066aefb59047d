"""An instance that leaves the finite numbers is marked with its step, and changes no other of its tile."""

from __future__ import annotations

import numpy as np
import pytest

from ratemlx.runtime import Result, load_connectome, run
from tests.support.shipped import TARGETS, series_of, shipped

SOUND = [-6.0, -5.5, -5.0, -4.5, -4.0]
RUNAWAY = 1e36


def runs(target: str, etas: list[float], precision: str = "float32", noise: bool = True) -> Result:
    """montbrio: V' = V^2 + eta, so that a huge eta overflows within some steps."""
    return run(
        shipped(
            "montbrio",
            target,
            sweep={"eta": etas},
            connectome=load_connectome("tvb:68"),
            duration=20.0,
            precision=precision,
            noise=noise,
            seed=4,
        )
    )


@pytest.mark.parametrize("target", TARGETS)
def test_others_are_bit_identical(target: str) -> None:
    alone = runs(target, SOUND)
    mixed = runs(target, [SOUND[0], RUNAWAY, *SOUND[1:3], -RUNAWAY, *SOUND[3:]])
    kept = [0, 2, 3, 5, 6]
    assert mixed.status.values.tolist() == ["ok", "diverged", "ok", "ok", "diverged", "ok", "ok"]
    assert series_of(mixed)[kept].tobytes() == series_of(alone).tobytes()
    assert (mixed.status.coords["diverged_at"].values[kept] == -1).all()
    assert np.isfinite(series_of(alone)).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_step_is_the_first_that_is_not_finite(target: str, precision: str) -> None:
    result = run(
        shipped(
            "montbrio",
            target,
            sweep={"eta": [-5.0, 30.0, 300.0, 1e5, RUNAWAY]},
            connectome=load_connectome("tvb:68"),
            duration=10.0,
            period=0.1,
            precision=precision,
            noise=False,
        )
    )
    finite = np.isfinite(series_of(result)).all(axis=(1, 3))
    first = np.where(finite.all(axis=1), -1, np.argmin(finite, axis=1))
    steps = result.status.coords["diverged_at"].values
    assert steps[0] == -1
    assert (steps[3:] >= 0).all()
    # A state counts when the sum of states is not finite, which is at most a step before one of them is not.
    late = first[steps >= 0] - steps[steps >= 0]
    assert ((late == 0) | (late == 1)).all(), (first, steps)
    assert (first[steps < 0] == -1).all()
