"""Metrics of signals whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, signal, stats

from ratemlx.metrics import Recording
from ratemlx.metrics.asynchronous_irregular import without_down_state
from ratemlx.metrics.distribution import kolmogorov_smirnov
from ratemlx.metrics.dynamic_connectivity import fcd_values, phase_fcd_values, window_fc
from ratemlx.metrics.power_bands import simpson_weights
from ratemlx.runtime.arrays import Floats
from tests.metrics.signals import recording, times, value


def sine(frequency: float, phase: float = 0.0, mean: float = 0.0, n_samples: int = 4000, period: float = 1.0) -> Floats:
    result: Floats = mean + np.sin(2 * np.pi * frequency * times(n_samples, period) + phase)
    return result


def noise(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape)


def test_rates_of_a_sine_about_a_mean() -> None:
    made = recording(sine(10, mean=5.0), sine(10, mean=7.0), unit="Hz")
    assert value("mean_FR", made) == pytest.approx([6.0], rel=1e-12)
    # Variance: 1/2 in time, 1 between regions.
    assert value("std_FR", made) == pytest.approx([np.sqrt(1.5)], rel=1e-12)
    assert value("max_FR", made) == pytest.approx([8.0])
    assert value("min_FR", made) == pytest.approx([4.0])
    assert value("coeff_var", made) == pytest.approx([np.sqrt(1.5) / 6])
    assert value("region_mean_FR", made) == pytest.approx(np.array([[5.0, 7.0]]))
    assert value("region_std_FR", made) == pytest.approx(np.full((1, 2), np.sqrt(0.5)))


@pytest.mark.parametrize(("unit", "factor"), [("kHz", 1000), ("1/ms", 1000), ("Hz", 1), ("mV", 1), ("", 1)])
def test_rates_are_told_in_hz(unit: str, factor: float) -> None:
    assert value("mean_FR", recording(sine(10, mean=2.0), unit=unit)) == pytest.approx([2 * factor])


def test_functional_connectivity_of_opposite_and_equal_traces() -> None:
    x = noise(4000)
    # Six pairs, of which 1-2 correlate 1 and 3 goes against both; the diagonal counts as zero.
    assert value("mean_FC", recording(x, 2 * x + 3, -x)) == pytest.approx([2 * (1 - 1 - 1) / 9])


def test_structure_and_function_correlate_fully_if_they_are_the_same() -> None:
    x = noise(3, 4000)
    fc = np.corrcoef(x)
    made = recording(*x, weights=3 * fc + 1, tract_lengths=-fc)
    assert value("corr_FC_SC", made) == pytest.approx([1.0])
    assert value("corr_FC_tract", made) == pytest.approx([-1.0])


@pytest.mark.parametrize("n_samples", [4000, 3996, 3988])
def test_phase_lag_of_shifted_sines(n_samples: int) -> None:
    """Phases are compared unwrapped: of a lag of d, the sign turns for a share d / 2 pi of each period."""
    frequency = 5 * 1000 / n_samples
    lagged = recording(sine(frequency, n_samples=n_samples), sine(frequency, -np.pi / 4, n_samples=n_samples))
    index = abs(1 - 2 * (1 / 8))
    assert value("mean_PLI", lagged) == pytest.approx([index / 2], abs=2e-3)


def test_phase_lag_is_zero_in_phase_and_large_for_small_lags() -> None:
    swing = sine(3)
    assert value("mean_PLI", recording(10 + swing, 10 + swing)).tolist() == [0.0]
    # About a negative mean, phases lie next to pi and -pi by turns, as those about a positive one next to 0.
    apart = recording(10 + 0.01 * swing, -10 + 0.01 * swing)
    assert value("mean_PLI", apart) == pytest.approx([0.0], abs=1e-3)
    close = recording(sine(5), sine(5, -np.pi / 10))
    assert value("mean_PLI", close) == pytest.approx([0.9 / 2], abs=5e-3)


@pytest.mark.parametrize("n_samples", [64, 997, 1003, 2500])
def test_phase_lag_against_its_definition_with_ties_and_negative_values(n_samples: int) -> None:
    x = noise(5, n_samples, seed=n_samples)
    x[3] = x[1]
    angles = np.angle(signal.hilbert(x, axis=1))
    exact = np.abs(np.sign(angles[:, None] - angles[None]).mean(axis=2)).mean()
    assert value("mean_PLI", recording(*x)) == pytest.approx([exact], rel=1e-14)


def test_durations_of_square_waves() -> None:
    """Smoothing by 10 ms moves the edges of 200 ms up and 300 ms down to 0.3 of the height: by 0.52 sd, 5.2 ms."""
    wave = np.where(np.arange(5000) % 500 < 200, 50.0, 0.0)
    made = recording(np.roll(wave, 100), np.roll(wave, 200))
    shift = 2 * 10 * stats.norm.ppf(0.7 - 0.2 / 50)
    up, down = value("mean_up_ms", made)[0], value("mean_down_ms", made)[0]
    # States last from their first to their last sample.
    assert up == pytest.approx(200 + shift - 1, abs=1.0)
    assert 200 < down < 300 - shift + 1


def test_states_too_short_are_merged_and_the_period_counts() -> None:
    wave = np.where(np.arange(4000) % 1000 < 500, 50.0, 0.0)
    wave[200:212] = 0.0  # smoothed to a dip of less than half: no state of its own
    blip = wave.copy()
    blip[750:756] = 50.0  # an up state of about 10 ms within a down state
    plain = value("mean_up_ms", recording(wave))
    assert value("mean_up_ms", recording(blip)) == pytest.approx(plain, abs=1)
    slower = recording(wave[::2], period=2.0)
    assert value("mean_up_ms", slower) == pytest.approx(plain, abs=3)
    always = recording(np.full(1000, 7.0) + 0.1 * sine(3, n_samples=1000))
    assert value("mean_down_ms", always)[0] < 20
    assert value("mean_up_ms", always)[0] > 980


@pytest.mark.parametrize("frequency", [3.25, 10.0, 40.5])
def test_peak_and_dominant_frequency_of_a_sine(frequency: float) -> None:
    made = recording(sine(frequency, mean=5), sine(frequency, 1.0, mean=5))
    assert value("fmax_amp", made).tolist() == [frequency]
    assert value("fmax_prom", made).tolist() == [frequency]
    # |FFT| of a sine of amplitude 1 at a bin's frequency: n / 2.
    assert value("pmax_amp", made) == pytest.approx([2000.0**2], rel=1e-9)
    assert value("freq_dom", made) == pytest.approx(np.full((1, 2), round(frequency)), abs=1)


def test_dominant_frequency_is_that_of_welch() -> None:
    x = noise(6, 3210)
    f, density = signal.welch(x, fs=500.0, nperseg=500)
    made = recording(*x, period=2.0)
    assert value("freq_dom", made).tolist() == [f[density.argmax(axis=1)].tolist()]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_slope_of_power_law_noise(exponent: float) -> None:
    frequency = np.fft.rfftfreq(4000, 1e-3)
    phases = np.exp(2j * np.pi * np.random.default_rng(1).random((3, 2001)))
    amplitude = np.concatenate([[0.0], frequency[1:] ** (-exponent / 2)])
    made = recording(*np.fft.irfft(7 * amplitude * phases, axis=1))
    assert value("slope_PSD", made) == pytest.approx([exponent], rel=1e-9)
    assert value("intercept_PSD", made) == pytest.approx([49.0], rel=1e-9)
    assert value("score_PSD", made) == pytest.approx([1.0], rel=1e-9)


def test_power_lies_in_its_bands() -> None:
    frequency = np.fft.rfftfreq(8000, 1e-3)
    power = np.exp(-0.5 * ((frequency - 2.25) / 0.25) ** 2) + 3 * np.exp(-0.5 * ((frequency - 20) / 0.25) ** 2)
    phases = np.exp(2j * np.pi * np.random.default_rng(1).random((2, 4001)))
    made = recording(*np.fft.irfft(np.sqrt(power) * phases, axis=1))
    shares = {band: value(f"{band}_rel_power", made)[0] for band in ("delta", "theta", "alpha", "beta", "gamma")}
    assert shares == pytest.approx({"delta": 0.25, "theta": 0, "alpha": 0, "beta": 0.75, "gamma": 0}, abs=1e-3)


@pytest.mark.parametrize("n_points", [2, 3, 4, 5, 8, 101, 102])
def test_simpson_weights_are_those_of_scipy(n_points: int) -> None:
    values = noise(n_points)
    assert simpson_weights(n_points) @ values == pytest.approx(integrate.simpson(values), rel=1e-12)


def test_regions_are_asynchronous_irregular_or_not() -> None:
    random = np.random.default_rng(3)
    active = 20 + random.standard_normal(4000)
    switching = np.where(np.arange(4000) % 400 < 200, 30, 1) + random.standard_normal(4000)
    saturated = np.where(np.arange(4000) < 2000, 190.0, 1.0)
    spread = np.linspace(0, 99, 4000)
    assert value("ratio_AI", recording(active)).tolist() == [1.0]
    assert value("ratio_AI", recording(switching)).tolist() == [0.0]
    assert value("ratio_AI", recording(active, switching, saturated, spread)).tolist() == [0.5]


def test_histograms_side_by_side_have_the_peaks_of_each_alone() -> None:
    random = np.random.default_rng(5)
    counts = random.integers(0, 400, (300, 101)) * (random.random((300, 101)) < 0.2)
    counts[::7, 3] = 1200
    expected = []
    for row in counts:
        peaks, found = signal.find_peaks([row.min(), *row, row.min()], prominence=100)
        two = peaks[np.argsort(found["prominences"], kind="stable")[-2:]] - 1
        expected.append(bool(len(two) and two.min() > 5))
    assert without_down_state(counts, 4000).tolist() == expected
    assert 0 < np.mean(expected) < 1


def test_histogram_bins_are_those_of_numpy() -> None:
    from ratemlx.metrics.asynchronous_irregular import _histograms

    edges = np.linspace(0, 100, 102)
    values = np.concatenate([edges, np.nextafter(edges, -1), np.nextafter(edges, 200), [-1, 150.0, 100.0, 0.0]])
    counts = _histograms(recording(values))
    assert counts.tolist() == [np.histogram(values, bins=101, range=(0, 100))[0].tolist()]


def test_windows_correlate_as_numpy_says_even_after_a_jump() -> None:
    x = noise(4, 3000) * 1e-3
    x[:, 1500:] += 1e4
    windows = window_fc(recording(*x))
    assert windows is not None
    assert windows.shape == (1, 20, 4, 4)
    for number in (0, 4, 9, 10, 14, 15, 19):
        exact = np.corrcoef(x[:, 100 * number : 100 * number + 1000])
        # Numbers of 1e4 are rounded to 2e-12, 2e-9 of what varies.
        np.testing.assert_allclose(windows[0, number], exact, atol=1e-7, err_msg=str(number))


def test_fcd_is_one_where_connectivity_stays_and_knows_its_reference() -> None:
    x = np.stack([sine(10), sine(10, 0.5), sine(10, 1.2)])
    made = recording(*x, references={"FCD": np.ones(10)})
    assert value("mean_FCD", made) == pytest.approx([1.0])
    # All entries are 1, but those up to the first diagonal, which count as zeros: 29 * 28 / 2 of 30^2.
    share = 28 * 29 / 2 / 900
    assert value("var_FCD", made) == pytest.approx([share * (1 - share)], rel=1e-9)
    values = fcd_values(made)
    assert values is not None
    assert values.shape == (1, 30 * 29 / 2)
    random = recording(*noise(5, 4000), references={"FCD": noise(300, seed=2)})
    values = fcd_values(random)
    assert values is not None
    assert value("KS_FCD", random) == pytest.approx([stats.ks_2samp(values[0], noise(300, seed=2)).statistic])


def test_windows_may_be_longer_for_slow_signals() -> None:
    made = recording(*noise(3, 300), period=2000.0, fcd_window=60_000.0, fcd_step=4_000.0)
    windows = window_fc(made)
    assert windows is not None
    assert windows.shape == (1, 135, 3, 3)
    np.testing.assert_allclose(windows[0, 7], np.corrcoef(made.traces[0][:, 14:44]), atol=1e-12)


def test_phase_patterns_against_their_definition() -> None:
    x = noise(5, 700)
    made = recording(*x)
    angles = np.angle(signal.hilbert(x - x.mean(axis=1, keepdims=True), axis=1))[:, ::2]
    first, second = np.triu_indices(5, 1)
    patterns = np.cos(angles[first] - angles[second])
    patterns /= np.linalg.norm(patterns, axis=0)
    exact = (patterns.T @ patterns)[np.triu_indices(350, 1)]
    np.testing.assert_allclose(phase_fcd_values(made)[0], exact, atol=1e-12)


def test_values_to_compare_with_are_the_same_bit_for_bit() -> None:
    x = noise(30, 3000)
    fcd, phases = fcd_values(recording(*x)), phase_fcd_values(recording(*x))
    assert fcd is not None
    made = recording(*x, references={"FCD": fcd, "phFCD": phases})
    assert value("KS_FCD", made).tolist() == [0.0]
    assert value("KS_phFCD", made).tolist() == [0.0]


def test_phase_patterns_of_sines_stay() -> None:
    made = recording(sine(5), sine(5, 0.3), sine(5, 2.0), references={"phFCD": np.array([1.0, 1.0 + 1e-3])})
    assert value("mean_phFCD", made) == pytest.approx([1.0])
    assert value("var_phFCD", made) == pytest.approx([0.0], abs=1e-20)


def test_distance_of_distributions_is_that_of_scipy() -> None:
    samples, reference = noise(3, 200), 0.5 + noise(137, seed=1)
    samples[0, :50] = reference[:50]
    exact = [stats.ks_2samp(row, reference).statistic for row in samples]
    assert kolmogorov_smirnov(np, samples, reference).tolist() == pytest.approx(exact, abs=1e-15)


def test_default_mode_regions_are_found_by_name() -> None:
    network = ["inferiorparietal", "isthmuscingulate", "medialorbitofrontal", "posteriorcingulate", "precuneus"]
    for prefixes in (("l_", "r_"), ("ctx-lh-", "ctx-rh-"), ("Left ", "Right "), ("lh.", "rh.")):
        labels = [f"{side}{name}" for side in prefixes for name in [*network, "cuneus", "insula"]]
        mean = np.where([label.endswith(tuple(network)) for label in labels], 9.0, 1.0)
        x = mean[:, None] + 0.1 * noise(14, 500)
        made = recording(*x, labels=tuple(labels))
        assert value("ratio_frmean_dmn", made).tolist() == [1.0]
        common = noise(500, seed=9)
        made = recording(*(x + np.where(mean == 9.0, 1.0, 0.0)[:, None] * common), labels=tuple(labels))
        assert value("ratio_zscore_dmn", made).tolist() == [1.0]
    unnamed = recording(*noise(14, 500), labels=tuple(f"region {number}" for number in range(14)))
    assert np.isnan(value("ratio_frmean_dmn", unnamed)).all()


def test_hilbert_and_smoothing_against_scipy() -> None:
    for n_samples in (999, 1000):
        x = noise(3, n_samples)
        made = Recording(x.T[None], 2.0, "Hz")
        np.testing.assert_allclose(made.hilbert[0], signal.hilbert(x, axis=1).imag, atol=1e-12)
        taps = np.arange(-60, 61)
        kernel = np.exp(-0.5 * (taps / 5.0) ** 2) / np.sqrt(2 * np.pi * 25)
        exact = [np.convolve(row, kernel, "same") for row in x]
        np.testing.assert_allclose(made.smoothed[0], exact, atol=1e-12)
