"""The sigmoid and Wong and Wang's function: known values, and the removable singularity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.transfer.evaluate import evaluate
from ratemlx.transfer.registry import builtin_registry

ORDERS: tuple[tuple[str, ...], ...] = ((), ("x",), ("x", "x"))


def _orders(name: str, dtype: type[np.floating[Any]] = np.float64, **values: object) -> list[NDArray[Any]]:
    """Value, first and second derivative."""
    requests = [("F", by) for by in ORDERS]
    found = evaluate(builtin_registry().get(name), values, requests, dtype)  # type: ignore[arg-type]
    return [found[request] for request in requests]


def test_built_in_functions() -> None:
    assert {"sigmoid", "wong_wang", "zerlaut"} <= set(builtin_registry().names())


def test_sigmoid_of_wilson_and_cowan() -> None:
    x = np.linspace(-3.0, 9.0, 25)
    value, first, second = _orders("sigmoid", x=x, slope=1.3, midpoint=4.0)
    expected = 1 / (1 + np.exp(-1.3 * (x - 4.0)))
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(first, 1.3 * expected * (1 - expected), rtol=1e-10)
    np.testing.assert_allclose(second, 1.3**2 * expected * (1 - expected) * (1 - 2 * expected), rtol=1e-9, atol=1e-15)


def test_sigmoid_of_jansen_and_rit() -> None:
    v = np.linspace(-10.0, 20.0, 31)
    value, _, _ = _orders("sigmoid", x=v, amplitude=2 * 2.5, slope=0.56, midpoint=6.0)
    np.testing.assert_allclose(value, 2 * 2.5 / (1 + np.exp(0.56 * (6.0 - v))), rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_far_out_is_finite(dtype: type[np.floating[Any]]) -> None:
    value, first, second = _orders("sigmoid", dtype, x=[-1e6, 1e6], slope=3.0)
    assert value.tolist() == [0.0, 1.0]
    assert first.tolist() == [0.0, 0.0]
    assert np.abs(second).tolist() == [0.0, 0.0]


def test_wong_wang_at_its_singularity() -> None:
    """With u = a x - b: 1 / d, a / 2 and a^2 d / 6 at u = 0, by the series of y / (1 - exp(-y))."""
    value, first, second = _orders("wong_wang", x=0.5, a=310.0, b=155.0, d=0.16)
    np.testing.assert_allclose([value, first, second], [1 / 0.16, 155.0, 310.0**2 * 0.16 / 6], rtol=1e-15)


def _exact(y: NDArray[Any]) -> list[NDArray[Any]]:
    """y / (1 - exp(-y)) and its derivatives, in long double and away from 0."""
    y = np.asarray(y, dtype=np.longdouble)
    e, rest = np.exp(-y), -np.expm1(-y)
    value = y / rest
    first = 1 / rest - y * e / rest**2
    second = -2 * e / rest**2 + y * e / rest**2 + 2 * y * e**2 / rest**3
    return [value, first, second]


@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 2e-13), (np.float32, 2e-5)])
def test_wong_wang_elsewhere(dtype: type[np.floating[Any]], bound: float) -> None:
    y = np.concatenate([-np.geomspace(0.05, 30, 60), np.geomspace(0.05, 30, 60)]).astype(dtype)
    for found, expected in zip(_orders("wong_wang", dtype, x=y, a=1.0, b=0.0, d=1.0), _exact(y), strict=True):
        assert found.dtype == dtype
        scale = np.maximum(np.abs(expected), 1e-30)
        assert np.max(np.abs(found - expected) / scale) < bound


def test_wong_wang_is_smooth_where_the_series_ends() -> None:
    for edge in (-1.0, 1.0):
        beside = np.array([np.nextafter(edge, 0), np.nextafter(edge, 2 * edge)])
        for found in _orders("wong_wang", x=beside, a=1.0, b=0.0, d=1.0):
            assert abs(found[1] - found[0]) < 1e-14


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wong_wang_far_out(dtype: type[np.floating[Any]]) -> None:
    value, first, second = _orders("wong_wang", dtype, x=[-1e4, 1e4], a=1.0, b=0.0, d=1.0)
    assert value.tolist() == [0.0, 1e4]
    assert first.tolist() == [0.0, 1.0]
    assert second.tolist() == [0.0, 0.0]
