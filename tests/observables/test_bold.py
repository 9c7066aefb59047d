"""BOLD against the same equations in NumPy, and against TVB's own Balloon model."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from ratemlx.errors import SweepError
from ratemlx.observables.bold import Arguments, samples_per_step, steps_per_volume
from ratemlx.observables.correlation import matrices
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import Balloon, BoldSettings, ObservableSettings
from ratemlx.runtime.devices.base import Device
from tests.observables.feed import Array, layout_of, observe

SHORT = BoldSettings(TR=100.0)


def only_bold(bold: BoldSettings = SHORT, transient: float = 0.0) -> ObservableSettings:
    return ObservableSettings(transient=transient, moments=False, fc=False, bold=bold)


def drive(n_samples: int = 1200, n_regions: int = 3, n_instances: int = 2, dtype: str = "float32") -> Array:
    """Rates in kHz that wander slowly, (instance, exposure, time, region)."""
    random = np.random.default_rng(7)
    walk = np.cumsum(random.standard_normal((n_instances, 2, n_samples, n_regions)), axis=2)
    return (0.02 + 0.0005 * walk).astype(dtype)


def balloon(series: Array, chosen: Balloon, period: float) -> Array:
    """The signal after every sample, in float64: equations 4-10 and 13 of Stephan et al. 2007."""

    def rates(state: Array, x: Array) -> Array:
        s, f, v, q = state
        outflow = v ** (1 / chosen.alpha)
        extracted = f * (1 - (1 - chosen.E0) ** (1 / f)) / chosen.E0
        ds = x - s / chosen.tau_s - (f - 1) / chosen.tau_f
        return np.stack([ds, s, (f - outflow) / chosen.tau_o, (extracted - outflow * q / v) / chosen.tau_o])

    state = np.ones((4, *series.shape[:2], series.shape[3]))
    state[0] = 0
    k1, k2, k3 = chosen.k
    signal = np.empty(series.shape)
    for step in range(series.shape[2]):
        x, dt = chosen.gain * series[:, :, step].astype(np.float64), period * 1e-3
        rate = rates(state, x)
        ahead = state + dt * rate
        if chosen.integrator == "heun":
            ahead = state + dt / 2 * (rate + rates(ahead, x))
        state = ahead
        _, _, v, q = state
        if chosen.equation == "linear":
            signal[:, :, step] = chosen.V0 * ((k1 + k2) * (1 - q) + (k3 - k2) * (1 - v))
        else:
            signal[:, :, step] = chosen.V0 * (k1 * (1 - q) + k2 * (1 - q / v) + k3 * (1 - v))
    return signal


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "constants",
    [
        Balloon(),
        Balloon(integrator="euler"),
        Balloon(equation="linear"),
        Balloon(coefficients="classical", epsilon=1.43, V0=2.0),
        Balloon(tau_s=0.8, tau_f=0.4, tau_o=1.0, alpha=0.2, E0=0.8, TE=0.03, nu_0=80.6, r_0=110.0, gain=3.0),
    ],
    ids=["default", "Euler", "linear", "classical", "other constants"],
)
def test_signal_is_that_of_the_equations(constants: Balloon, device: Device, dtype: str) -> None:
    series = drive(600, dtype=dtype)
    settings = replace(SHORT, balloon=constants)
    found = observe(only_bold(settings), series, device, period=5.0)["bold"]
    exact = balloon(series, constants, 5.0)[:, :, 19::20]
    assert found.shape == exact.shape
    bound = 1e-7 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(found, exact, rtol=bound, atol=bound * np.abs(exact).max())


@pytest.mark.tvb
@pytest.mark.parametrize("equation", ["nonlinear", "linear"])
@pytest.mark.parametrize("revised", [True, False])
def test_signal_is_tvbs(equation: str, revised: bool, cpu: Device) -> None:
    """With TVB's own defaults. TVB drops its first sample, so one is put before it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages for surfaces, which are not there
        from tvb.analyzers.fmri_balloon import BalloonModel, BoldModels
        from tvb.datatypes.time_series import TimeSeriesRegion
    series = drive(3000, dtype="float64")
    padded = np.concatenate([np.zeros_like(series[:1, :1, :1]), series[:1, :1]], axis=2)
    data = padded.reshape(-1, 1, 3, 1)
    time = np.arange(len(data)) * 2.0
    given = TimeSeriesRegion(data=data, time=time, sample_period=2.0, sample_period_unit="ms")
    model = BalloonModel(time_series=given, RBM=revised, bold_model=BoldModels(equation))
    model.integrator.configure()
    theirs = model.evaluate().data[1:, 0, :, 0]
    constants = Balloon(equation=equation, coefficients="revised" if revised else "classical")
    ours = observe(only_bold(replace(SHORT, balloon=constants)), series[:1], cpu, period=2.0)["bold"]
    np.testing.assert_allclose(ours[0, 0], theirs[49::50], rtol=1e-9, atol=1e-12)


def test_volumes_begin_after_the_transient_and_the_model_before(device: Device) -> None:
    series = drive(1000)
    found = observe(only_bold(transient=333.0), series, device)["bold"]
    exact = balloon(series, Balloon(), 1.0)[:, :, 333:]
    np.testing.assert_allclose(found, exact[:, :, 99:600:100], rtol=1e-6)


def test_a_volume_may_be_a_mean(device: Device) -> None:
    series = drive(1000)
    found = observe(only_bold(replace(SHORT, volume="mean"), 50.0), series, device, (33,))["bold"]
    exact = balloon(series, Balloon(), 1.0)[:, :, 50:950]
    np.testing.assert_allclose(found, exact.reshape(2, 2, 9, 100, 3).mean(axis=3), rtol=1e-6)


@pytest.mark.parametrize("volume", ["last", "mean"])
@pytest.mark.parametrize("cuts", [(1,), (100,), (1, 0, 77, 3, 250)])
def test_results_do_not_depend_on_how_samples_arrive(device: Device, cuts: tuple[int, ...], volume: str) -> None:
    series = drive(500)
    settings = only_bold(replace(SHORT, volume=volume), transient=41.0)
    whole, found = observe(settings, series, device), observe(settings, series, device, cuts)
    for name, values in whole.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize("transient", [0.0, 100.0, 103.0])
def test_a_step_may_be_driven_by_the_mean_of_samples(device: Device, transient: float) -> None:
    """Steps end where volumes do; the samples before the first whole one drive nothing."""
    series = drive(1003)
    settings = replace(SHORT, step=4.0)
    found = observe(only_bold(settings, transient), series, device, (33,))["bold"]
    left_out = int(transient) % 4
    steps = series[:, :, left_out : left_out + 1000].astype(np.float64).reshape(2, 2, 250, 4, 3).mean(axis=3)
    exact = balloon(steps, Balloon(), 4.0)[:, :, int(transient) // 4 :]
    np.testing.assert_allclose(found, exact[:, :, 24 : 25 * found.shape[2] : 25], rtol=1e-6)
    if not left_out:
        every = observe(only_bold(SHORT, transient), series, device)["bold"]
        assert np.abs(found - every).max() < 2e-3 * np.abs(every).max()


@pytest.mark.parametrize("cuts", [(1,), (4,), (1, 0, 77, 3, 250)])
def test_steps_do_not_depend_on_how_samples_arrive(device: Device, cuts: tuple[int, ...]) -> None:
    series = drive(500)
    settings = only_bold(replace(SHORT, step=5.0, volume="mean"), transient=41.0)
    whole, found = observe(settings, series, device), observe(settings, series, device, cuts)
    np.testing.assert_array_equal(found["bold"], whole["bold"])


def test_small_rates_lose_nothing_to_rounding(cpu: Device) -> None:
    """The state is near one and a step changes it by less than float32 can tell; it is in float64."""
    series = drive(20_000) * np.float32(1e-4)
    found = observe(only_bold(), series, cpu)["bold"]
    exact = balloon(series, Balloon(), 1.0)[:, :, 99::100]
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-7 * np.abs(exact).max())


def test_connectivity_is_that_of_the_filtered_signal(device: Device) -> None:
    series = drive(3000)
    settings = BoldSettings(TR=50.0, band=(0.5, 4.0))
    found = observe(only_bold(settings), series, device)
    raw = observe(only_bold(replace(settings, band=None)), series, device)
    sections = butter(2, (0.5, 4.0), btype="bandpass", fs=20.0, output="sos")
    filtered = sosfiltfilt(sections, raw["bold"].astype(np.float64), axis=2)
    np.testing.assert_allclose(found["bold"], filtered, rtol=1e-6, atol=1e-6 * np.abs(filtered).max())
    for signal in (found, raw):
        exact = [[np.corrcoef(part.T.astype(np.float64)) for part in instance] for instance in signal["bold"]]
        np.testing.assert_allclose(matrices(signal["bold_fc"]), exact, atol=2e-7)
        assert not signal["bold_flat"].any()


def test_silence_gives_a_flat_signal_and_no_correlations(device: Device) -> None:
    series = drive(1000)
    series[:, 1, :, 0] = 0.0
    found = observe(only_bold(), series, device)
    np.testing.assert_array_equal(found["bold"][:, 1, :, 0], 0.0)
    assert found["bold_flat"][:, 1, 0].all()
    assert not matrices(found["bold_fc"])[:, 1, 0].any()


def test_an_instance_that_leaves_the_numbers_changes_no_other(device: Device) -> None:
    settings = only_bold(BoldSettings(TR=50.0, band=(0.5, 4.0)))
    series = drive(3000)
    broken = series.copy()
    broken[1, 0, 500:, 1] = np.nan
    whole, found = observe(settings, series, device), observe(settings, broken, device)
    np.testing.assert_array_equal(found["bold"][0], whole["bold"][0])
    assert np.isnan(found["bold"][1, 0, :, 1]).all()


def test_both_observables_come_together(device: Device) -> None:
    series = drive(1000)
    settings = ObservableSettings(exposures=("E", "I"), bold=SHORT, bold_exposures=("I",))
    found = observe(settings, series, device)
    assert set(found) == {"mean", "variance", "minimum", "maximum", "fc", "flat", "bold", "bold_fc", "bold_flat"}
    assert found["fc"].shape == (2, 2, 6)
    assert found["bold"].shape == (2, 1, 10, 3)
    alone = observe(only_bold(), series, device)["bold"][:, 1:]
    np.testing.assert_array_equal(found["bold"], alone)


@pytest.mark.parametrize(
    ("bold", "transient", "message", "hint"),
    [
        (BoldSettings(TR=100.5), 0.0, "BOLD's TR (100.5 ms) must be a multiple of the period (1 ms)", "100 ms"),
        (BoldSettings(TR=0.2), 0.0, "BOLD's TR (0.2 ms) must be a multiple of the period (1 ms)", "1 ms"),
        (BoldSettings(TR=100.0, step=2.5), 0.0, "BOLD's step (2.5 ms) must be a multiple of the period (1 ms)", "2 ms"),
        (BoldSettings(TR=100.0, step=3.0), 0.0, "BOLD's TR (100 ms) must be a multiple of the step (3 ms)", "99 ms"),
        (BoldSettings(TR=400.0), 300.0, "the run has 1 BOLD volume of 400 ms after its transient;", "longer duration"),
        (BoldSettings(TR=100.0, band=(1.0, 2.0)), 0.0, "the run has 10 BOLD volumes of 100 ms", "longer duration"),
    ],
)
def test_what_a_run_cannot_give_is_refused(
    bold: BoldSettings, transient: float, message: str, hint: str, cpu: Device
) -> None:
    with pytest.raises(SweepError) as caught:
        Observation(only_bold(bold, transient), layout_of(drive(1000), cpu))
    assert caught.value.message.startswith(message)
    assert hint in str(caught.value.hint)


def test_times_are_counted_in_samples() -> None:
    assert steps_per_volume(BoldSettings(TR=2000.0), 0.1) == 20_000
    assert steps_per_volume(BoldSettings(TR=720.0), 1.0) == 720
    slow = BoldSettings(TR=720.0, step=4.0)
    assert (samples_per_step(slow, 0.5), steps_per_volume(slow, 0.5)) == (8, 180)


def test_the_structure_has_no_holes() -> None:
    """C and ctypes lay it out alike: 32-bit numbers come in pairs."""
    assert Arguments.step.offset == 56
    assert Arguments.samples.offset == 56 + 12 * 8
