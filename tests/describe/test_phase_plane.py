"""The phase plane: derivatives as in the formulas, fixed points found, trajectories that end in them."""

from __future__ import annotations

import numpy as np
import pytest

import ratemlx
from ratemlx.describe.phase_plane import derivatives, phase_plane, planar_variables

PLANAR = {"generic_2d_oscillator", "montbrio", "stuart_landau", "wilson_cowan", "wong_wang_exc_inh"}


@pytest.mark.parametrize("name", sorted(PLANAR | {"adex", "kuramoto", "jansen_rit"}))
def test_models_with_two_variables_have_one(name: str) -> None:
    assert (planar_variables(ratemlx.load(name)) is not None) == (name in PLANAR)


def test_derivatives_are_those_of_the_formulas_without_coupling() -> None:
    r, V = np.array([[0.2, 1.5]]), np.array([[-1.0], [0.5]])
    dr, dV = derivatives(ratemlx.load("montbrio"), {"r": r, "V": V})
    np.testing.assert_allclose(dr, 1 / np.pi + 2 * V * r, rtol=1e-14)
    np.testing.assert_allclose(dV, V**2 - np.pi**2 * r**2 - 5 + 15 * r, rtol=1e-14)


def test_the_window_holds_both_states_between_which_a_region_may_choose() -> None:
    plane = phase_plane(ratemlx.load("montbrio"))
    ends = {tuple(np.round(path[-1], 3)) for path in plane.trajectories}
    assert ends == {(0.081, -1.962), (1.031, -0.154)}
    for r, V in ends:
        assert plane.x[0] < r < plane.x[-1]
        assert plane.y[0] < V < plane.y[-1]
    assert plane.x[0] == 0.0
    np.testing.assert_allclose(plane.trajectories[0, 0], [0.1, -2.0])
    assert plane.dx.shape == (len(plane.y), len(plane.x))
