"""Moments and functional connectivity, added up in blocks, against NumPy in float64 on the same series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ratemlx.observables import moments
from ratemlx.observables.correlation import matrices
from ratemlx.observables.moments import Arguments, bytes_per_instance
from ratemlx.observables.observation import Observation
from ratemlx.observables.programs import BLOCK
from ratemlx.observables.settings import ObservableSettings
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.base import Device
from tests.observables.feed import Array, layout_of, observe

EVERYTHING = ObservableSettings()
ULP = float(np.float32(2.0**-23))


def noisy(shape: tuple[int, ...], seed: int = 1, dtype: str = "float32") -> Array:
    """Rates near 10 Hz with correlations between regions, (instance, exposure, time, region)."""
    random = np.random.default_rng(seed)
    shared = random.standard_normal((*shape[:3], 1))
    return (0.01 + 0.001 * shared * random.uniform(-1, 1, shape[-1]) + 0.001 * random.standard_normal(shape)).astype(
        dtype
    )


def correlations(series: Array) -> Array:
    """By NumPy, in float64: (instance, exposure, region, region)."""
    return np.array([[np.corrcoef(part.T.astype(np.float64)) for part in instance] for instance in series])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_samples", [2, BLOCK - 1, BLOCK, 200])
def test_moments_and_connectivity_are_numpys(device: Device, n_samples: int, dtype: str) -> None:
    series = noisy((3, 2, n_samples, 7), dtype=dtype)
    found = observe(EVERYTHING, series, device)
    exact = series.astype(np.float64)
    np.testing.assert_allclose(found["mean"], exact.mean(axis=2), rtol=1e-14)
    np.testing.assert_allclose(found["variance"], exact.var(axis=2), rtol=1e-12)
    np.testing.assert_array_equal(found["minimum"], series.min(axis=2))
    np.testing.assert_array_equal(found["maximum"], series.max(axis=2))
    bound = 5e-7 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(matrices(found["fc"]), correlations(series), atol=bound)
    assert found["fc"].dtype == series.dtype
    assert not found["flat"].any()


@pytest.mark.parametrize("n_regions", [1, 2, 3, 4, 5, 13])
def test_any_number_of_regions_fits_the_tiles_of_pairs(device: Device, n_regions: int) -> None:
    series = noisy((2, 1, 150, n_regions), seed=n_regions)
    wanted = [np.atleast_2d(np.corrcoef(instance[0].T.astype(np.float64))) for instance in series]
    fc = matrices(observe(EVERYTHING, series, device)["fc"])[:, 0]
    np.testing.assert_allclose(fc, wanted, atol=5e-7)
    np.testing.assert_array_equal(np.diagonal(fc, axis1=1, axis2=2), 1.0)


@pytest.mark.parametrize("cuts", [(1,), (BLOCK,), (1, 0, 77, 3, BLOCK, 2 * BLOCK + 1), (499,)])
def test_results_do_not_depend_on_how_samples_arrive(device: Device, cuts: tuple[int, ...]) -> None:
    series = noisy((3, 2, 500, 6))
    settings = ObservableSettings(transient=41.0)
    whole = observe(settings, series, device)
    found = observe(settings, series, device, cuts)
    for name, values in whole.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_results_do_not_depend_on_what_else_is_in_the_batch(device: Device) -> None:
    series = noisy((device.lanes("float32") + 3, 2, 300, 6))
    together = observe(EVERYTHING, series, device)
    alone = observe(EVERYTHING, series[-2:], device, (7,))
    for name, values in together.items():
        np.testing.assert_array_equal(alone[name], values[-2:], err_msg=name)


def test_lanes_alter_the_last_digits_only(cpu: Device) -> None:
    series = noisy((5, 2, 300, 6))
    wide = observe(EVERYTHING, series, cpu, lanes=16)
    for lanes in (4, 32):
        for name, values in observe(EVERYTHING, series, cpu, lanes=lanes).items():
            np.testing.assert_allclose(values, wide[name], rtol=2e-6, atol=1e-12, err_msg=name)


def test_a_gpus_steps_and_a_cpus_agree() -> None:
    series = noisy((3, 2, 333, 9))
    found = {}
    for name in ("cpu", "cuda-emulation"):
        device = open_device(name, 1)
        found[name] = observe(EVERYTHING, series, device, (50,))
        device.close()
    for name, values in found["cpu"].items():
        np.testing.assert_allclose(found["cuda-emulation"][name], values, rtol=2e-6, atol=1e-9, err_msg=name)


def test_the_transient_and_other_exposures_are_left_out(device: Device) -> None:
    series = noisy((2, 3, 400, 5))
    series[:, :, :100] = 1e6
    settings = ObservableSettings(transient=99.2, exposures=("W", "E"))
    found = observe(settings, series, device, (33,))
    kept = series[:, [0, 2], 100:]
    np.testing.assert_allclose(found["mean"], kept.astype(np.float64).mean(axis=2), rtol=1e-14)
    np.testing.assert_array_equal(found["maximum"], kept.max(axis=2))
    np.testing.assert_allclose(matrices(found["fc"]), correlations(kept), atol=5e-7)


def drifting(series: Array) -> Array:
    return series + np.linspace(0.0, 1.0, series.shape[2], dtype=np.float32)[:, None] * np.arange(series.shape[3])


def nearly_constant(series: Array) -> Array:
    """Some forty neighbouring numbers of float32 near 0.1."""
    steps = np.round((series - 0.01) * 8000)
    return (np.float32(0.1) + steps * np.float32(2.0**-27)).astype(np.float32)


def jumping(series: Array) -> Array:
    """One outlier at the beginning of every block."""
    outliers = np.zeros_like(series)
    outliers[:, :, ::BLOCK] = np.random.default_rng(5).standard_normal(outliers[:, :, ::BLOCK].shape)
    return series + outliers


@pytest.mark.parametrize(
    "change",
    [
        drifting,
        nearly_constant,
        jumping,
        lambda series: series + 100.0,
        lambda series: series * 1e-22,
        lambda series: series * 1e25,
        lambda series: series * np.float32(10) ** np.arange(-18, 17, 5, dtype=np.float32),
    ],
    ids=["drift", "nearly constant", "outliers", "offset", "tiny", "huge", "unequal"],
)
def test_connectivity_of_awkward_series(
    change: Callable[[Array], Array], device: Device, record: Callable[[str, float], None]
) -> None:
    series = change(noisy((2, 1, 1500, 7))).astype(np.float32)
    found = observe(EVERYTHING, series, device, (211,))
    error = np.abs(matrices(found["fc"]) - correlations(series)).max()
    record("largest error of a correlation", error)
    assert error <= 1e-6
    assert not found["flat"].any()


def test_a_million_samples(cpu: Device, record: Callable[[str, float], None]) -> None:
    series = noisy((2, 1, 1_000_000, 4))
    series += np.linspace(0, 0.1, 1_000_000, dtype=np.float32)[:, None] * np.array([0, 0, 1, 2], np.float32)
    found = observe(EVERYTHING, series, cpu, (200_000,), lanes=2)
    error = np.abs(matrices(found["fc"]) - correlations(series)).max()
    record("largest error of a correlation", error)
    assert error <= 1e-6
    np.testing.assert_allclose(found["mean"], series.astype(np.float64).mean(axis=2), rtol=1e-12)
    np.testing.assert_allclose(found["variance"], series.astype(np.float64).var(axis=2), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_flat_regions_are_flagged_and_correlate_with_nothing(device: Device, dtype: str) -> None:
    series = noisy((2, 1, 300, 5), dtype=dtype)
    series[:, :, :, 1] = series.dtype.type(0.1)  # constant; the mean of sums of it is not
    series[:, :, :, 2] = 0.0
    unit = np.finfo(dtype).eps / 16
    series[:, :, :, 3] = series.dtype.type(0.1) + np.random.default_rng(1).integers(0, 2, (2, 1, 300)) * unit
    found = observe(EVERYTHING, series, device)
    np.testing.assert_array_equal(found["flat"], np.broadcast_to([False, True, True, True, False], (2, 1, 5)))
    np.testing.assert_array_equal(found["variance"][..., 1:3], 0.0)
    fc = matrices(found["fc"])
    assert not fc[..., 1:4, :].any()
    np.testing.assert_array_equal(fc[..., [0, 4], [0, 4]], 1.0)


def test_an_instance_that_leaves_the_numbers_changes_no_other(device: Device) -> None:
    series = noisy((3, 2, 300, 5))
    broken = series.copy()
    broken[1, 0, 150:, 2] = np.nan
    broken[2, 1, 150, 3] = np.inf
    whole, found = observe(EVERYTHING, series, device), observe(EVERYTHING, broken, device)
    for name in ("mean", "variance", "minimum", "maximum"):
        np.testing.assert_array_equal(found[name][0], whole[name][0])
        assert np.isnan(found[name][1, 0, 2])
        np.testing.assert_array_equal(np.delete(found[name][1, 0], 2), np.delete(whole[name][1, 0], 2))
    fc = matrices(found["fc"])
    np.testing.assert_array_equal(found["fc"][0], whole["fc"][0])
    assert np.isnan(fc[1, 0, 2]).all()
    assert np.isnan(fc[2, 1, :, 3]).all()
    assert not np.isnan(fc[1, 0, :2, :2]).any()


def test_more_pairs_than_a_grid_has_rows(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    series = noisy((2, 2, 300, 13))
    whole = observe(EVERYTHING, series, device)["fc"]
    monkeypatch.setattr(moments, "MOST_ROWS", 7)
    np.testing.assert_array_equal(observe(EVERYTHING, series, device)["fc"], whole)


def test_moments_without_connectivity_are_the_same(device: Device) -> None:
    series = noisy((3, 2, 300, 5))
    whole = observe(EVERYTHING, series, device)
    found = observe(ObservableSettings(fc=False), series, device)
    assert set(found) == {"mean", "variance", "minimum", "maximum"}
    for name, values in found.items():
        np.testing.assert_array_equal(values, whole[name])


def test_memory_is_told_before_it_is_taken(cpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    series = noisy((16, 2, 100, 5))
    taken = []
    allocate = cpu.allocate

    def counted(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> object:
        taken.append(int(np.prod(shape)) * dtype.itemsize)
        return allocate(shape, dtype)

    observation = Observation(EVERYTHING, layout_of(series, cpu))
    make = observation.open(cpu)
    monkeypatch.setattr(cpu, "allocate", counted)
    make(16, 100)
    told = observation.bytes_per_instance * 16
    assert told == bytes_per_instance(observation.layout, 2, pairs=True) * 16
    assert told <= sum(taken) <= told + 64


def test_the_structure_has_no_holes() -> None:
    """C and ctypes lay it out alike: 32-bit numbers come in pairs."""
    assert Arguments.count.offset == 48
    assert Arguments.samples.offset == 56
