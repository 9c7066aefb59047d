"""Elementary functions of the kernels' headers against NumPy and SciPy in float64 and long double.

Bounds are in units in the last place of the result, where nothing else is said. What is lane by lane (float64, and
everything under emulation) is the C library's.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from tests.support.compiled import FUNCTIONS, call

Record = Callable[[str, float], None]
Library = Callable[[str, int, str], ctypes.CDLL]
Array = NDArray[np.floating]

EXACT: dict[str, Callable[[Array], Array]] = {
    name: getattr(np, name) for name in FUNCTIONS if name not in ("erf", "erfc")
} | {"erf": scipy.special.erf, "erfc": scipy.special.erfc}

FLOAT32_BOUNDS = [
    # function, from, to, units in the last place
    ("exp", -87.3, 88.7, 1.0),
    ("exp", -1.0, 1.0, 1.0),
    ("log", 0.5, 2.0, 1.0),
    ("log", 2.0, 3e38, 1.0),
    ("log", 1.2e-38, 1e-30, 1.0),
    ("sin", -10.0, 10.0, 2.0),
    ("cos", -10.0, 10.0, 2.0),
    ("tan", -10.0, 10.0, 1.5),
    ("tanh", -0.7, 0.7, 2.5),
    ("tanh", -20.0, 20.0, 2.5),
    ("sinh", -20.0, 20.0, 2.5),
    ("cosh", -20.0, 20.0, 2.5),
    ("sqrt", 0.0, 1e30, 0.5),
    ("erf", -1.0, 1.0, 3.0),
    ("erf", -5.0, 5.0, 3.0),
    ("erfc", -3.0, 3.0, 6.0),
    ("erfc", 3.0, 9.1, 6.0),
    ("floor", -1e6, 1e6, 0.0),
    ("ceil", -1e6, 1e6, 0.0),
    ("fabs", -1e6, 1e6, 0.0),
]
VARIANTS = [("cpp", 4), ("cpp", 8), ("cpp", 16), ("cuda", 32)]


def arguments(low: float, high: float, dtype: type, count: int = 40_001) -> Array:
    return np.random.default_rng(1).uniform(low, high, count).astype(dtype)


def exact(name: str, x: Array) -> NDArray[np.longdouble]:
    wide = x.astype(np.float64 if name in ("erf", "erfc") else np.longdouble)
    return EXACT[name](wide).astype(np.longdouble)


def units(found: Array, wanted: NDArray[np.longdouble]) -> float:
    """The largest error in units in the last place."""
    last_place = np.spacing(np.abs(wanted).astype(found.dtype)).astype(np.longdouble)
    return float((np.abs(found - wanted) / last_place).max())


@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
@pytest.mark.parametrize(("name", "low", "high", "bound"), FLOAT32_BOUNDS)
def test_float32(
    name: str, low: float, high: float, bound: float, dialect: str, lanes: int, library: Library, record: Record
) -> None:
    x = arguments(low, high, np.float32)
    (found,) = call(library(dialect, lanes, "float32"), name, x)
    worst = units(found, exact(name, x))
    record("units in the last place", worst)
    assert worst <= bound


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_float32_sines_of_large_arguments(name: str, lanes: int, library: Library) -> None:
    for size in (8192.0, 1e7):
        x = arguments(-size, size, np.float32)
        (found,) = call(library("cpp", lanes, "float32"), name, x)
        assert np.abs(found - exact(name, x)).max() <= 1e-7


@pytest.mark.parametrize("dialect", ["cpp", "cuda"])
@pytest.mark.parametrize(
    ("name", "low", "high", "bound"),
    [(*line[:3], 4.0) for line in FLOAT32_BOUNDS if line[0] != "erfc" and line[1] > -87.0],
)
def test_float64(name: str, low: float, high: float, bound: float, dialect: str, library: Library) -> None:
    x = arguments(low, high, np.float64)
    (found,) = call(library(dialect, 8, "float64"), name, x)
    assert units(found, exact(name, x)) <= bound


@pytest.mark.parametrize("dialect", ["cpp", "cuda"])
def test_float64_erfc(dialect: str, library: Library) -> None:
    """SciPy's own error is some 60 units."""
    x = arguments(-5.0, 20.0, np.float64)
    (found,) = call(library(dialect, 8, "float64"), "erfc", x)
    np.testing.assert_allclose(found, scipy.special.erfc(x), rtol=3e-14)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_zeros_infinities_and_what_is_not_a_number(
    name: str, dialect: str, lanes: int, precision: str, library: Library
) -> None:
    dtype = np.dtype(precision).type
    limits = np.finfo(dtype)
    edge = [limits.max, -limits.max] if name not in ("sin", "cos", "tan") else [1.0, -1.0]
    tiny = [limits.tiny, -limits.tiny, limits.smallest_subnormal, 37 * limits.smallest_subnormal]
    values = [0.0, -0.0, np.inf, -np.inf, np.nan, -1.0, 1.0, 1e4, -1e4, 104.0, -104.0, 89.0, -89.0, -95.0, *tiny, *edge]
    x = np.array(values, dtype)
    (found,) = call(library(dialect, lanes, precision), name, x)
    with np.errstate(all="ignore"):
        wanted = exact(name, x).astype(dtype)
        close = np.abs(found - wanted) <= 8 * np.spacing(np.abs(wanted))
    assert (close | (found == wanted) | (np.isnan(found) & np.isnan(wanted))).all(), (x, found, wanted)


@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
def test_subnormal_results_of_exp(dialect: str, lanes: int, library: Library) -> None:
    x = arguments(-103.9, -87.3, np.float32)
    (found,) = call(library(dialect, lanes, "float32"), "exp", x)
    assert np.abs(found - exact("exp", x)).max() <= 2 * np.finfo(np.float32).smallest_subnormal


@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
def test_erfc_from_a_gaussian(dialect: str, lanes: int, library: Library) -> None:
    x = arguments(-4.0, 8.0, np.float32)
    gauss = np.exp(-(x.astype(np.float64) ** 2)).astype(np.float32)
    (found,) = call(library(dialect, lanes, "float32"), "erfc_gauss", x, gauss)
    np.testing.assert_allclose(found, scipy.special.erfc(x.astype(np.float64)), rtol=4e-7)


@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
def test_sine_and_cosine_of_turns(dialect: str, lanes: int, library: Library) -> None:
    turns = np.concatenate([arguments(0.0, 1.0, np.float32), np.array([0.25, 0.5, 0.75, 1.0, 2.0**-33], np.float32)])
    found = call(library(dialect, lanes, "float32"), "sincos2pi", turns, results=2)
    angle = 2 * np.pi * turns.astype(np.longdouble)
    # The emulation rounds 2 pi times turns to float32 first; a device's sincospi does not.
    for values, wanted in zip(found, (np.sin(angle), np.cos(angle)), strict=True):
        assert np.abs(values - wanted).max() <= 5e-7


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
def test_powers_and_extremes(dialect: str, lanes: int, precision: str, library: Library) -> None:
    chosen, dtype = library(dialect, lanes, precision), np.dtype(precision).type
    base, exponent = arguments(0.1, 10.0, dtype, 999), arguments(-3.0, 3.0, dtype, 999)[::-1].copy()
    (found,) = call(chosen, "pow", base, exponent)
    assert units(found, base.astype(np.longdouble) ** exponent.astype(np.longdouble)) <= 1.0
    a, b = np.array([np.nan, 1, 2, np.inf, -1], dtype), np.array([1, np.nan, 1, 0, -np.inf], dtype)
    # The first operand stays if it is not a number: a bound never hides a divergence.
    np.testing.assert_array_equal(call(chosen, "maximum", a, b)[0], [np.nan, 1, 2, np.inf, -1])
    np.testing.assert_array_equal(call(chosen, "minimum", a, b)[0], [np.nan, 1, 1, 0, -np.inf])
