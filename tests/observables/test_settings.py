"""Settings of observables are checked when they are made, and against the run when they meet it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ratemlx.errors import SweepError
from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import Balloon, BoldSettings, ObservableSettings

LAYOUT = Layout(68, ("E", "I"), 1.0, 5000, 16, np.dtype(np.float32))


def test_defaults_are_stephans() -> None:
    """Coefficients of Stephan et al. 2007 at 1.5 T: 4.3 nu_0 E0 TE, epsilon r_0 E0 TE, 1 - epsilon."""
    np.testing.assert_allclose(Balloon().k, (2.77264, 0.2, 0.5))
    np.testing.assert_allclose(Balloon(coefficients="classical").k, (2.8, 0.8, 0.5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Balloon(tau_s=0.0), "BOLD's tau_s must be above zero; it is 0"),
        (lambda: Balloon(alpha=float("nan")), "BOLD's alpha must be a finite number; it is nan"),
        (lambda: Balloon(E0=1.0), "BOLD's E0 must be below one; it is 1"),
        (lambda: Balloon(equation="cubic"), "BOLD has no equation 'cubic'"),
        (lambda: Balloon(integrator="rk4"), "BOLD has no integrator 'rk4'"),
        (lambda: Balloon(coefficients="revisd"), "BOLD has no coefficients 'revisd'"),
        (lambda: BoldSettings(TR=-1.0), "BOLD's TR must be above zero; it is -1"),
        (lambda: BoldSettings(step=0.0), "BOLD's step must be above zero; it is 0"),
        (lambda: BoldSettings(volume="first"), "BOLD has no volume 'first'"),
        (lambda: BoldSettings(order=0), "the order of BOLD's band-pass must be 1 to 10; it is 0"),
        (lambda: BoldSettings(band=(0.1, 0.3)), "BOLD's band of 0.1 to 0.3 Hz cannot be had at a TR of 2000 ms"),
        (lambda: BoldSettings(band=(0.1, 0.05)), "BOLD's band of 0.1 to 0.05 Hz cannot be had at a TR of 2000 ms"),
        (lambda: ObservableSettings(transient=-1.0), "the transient must not be below zero; it is -1 ms"),
        (
            lambda: Observation(ObservableSettings(transient=4999.0), LAYOUT),
            "a transient of 4999 ms leaves nothing of a run of 5000 ms",
        ),
        (
            lambda: Observation(ObservableSettings(exposures=("E", "W")), LAYOUT),
            "W is not among the observed exposures",
        ),
        (
            lambda: Observation(ObservableSettings(exposures=()), LAYOUT),
            "observables need at least one exposure",
        ),
    ],
)
def test_mistakes_are_told_in_one_message(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SweepError) as caught:
        make()
    assert caught.value.message == message


def test_memory_of_an_instance() -> None:
    """Two exposures of 68 regions: a block of 64 samples, sums, and 2,346 pairs in float64 and float32."""
    per_series = 64 * 4 + 4 * 8 + 3 * 4
    assert Observation(ObservableSettings(), LAYOUT).bytes_per_instance == 2 * 68 * per_series + 2 * 2346 * 12
    without = ObservableSettings(moments=False, fc=False)
    assert Observation(without, LAYOUT).bytes_per_instance == 0
    bold = ObservableSettings(moments=False, fc=False, bold=BoldSettings(TR=1000.0), bold_exposures=("E",))
    assert Observation(bold, LAYOUT).bytes_per_instance == 68 * (6 * 8 + 5 * 4)


def test_exposures_are_in_the_order_of_the_samples() -> None:
    found = Observation(ObservableSettings(exposures=("I", "E"), bold=BoldSettings(), bold_exposures=("I",)), LAYOUT)
    assert (found.exposures, found.bold_exposures) == (("E", "I"), ("I",))
    assert Observation(ObservableSettings(transient=10.5), LAYOUT).first_kept == 11
