"""Metrics of arrays that lie on a device: nothing but CuPy's functions, and no transfer that is not asked for.

CuPy itself needs a GPU. In its place stands a package `cupy` of the functions that CuPy has and the metrics use, over
arrays that refuse to become arrays of NumPy or numbers of Python, except by `cupy.asnumpy`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.fft

from ratemlx.metrics import Evaluation, Metric, Recording, Statistics, arrays, evaluate, select

ALL = select(["all"])

FUNCTIONS = """abs arange argsort asarray ascontiguousarray bincount clip concatenate copysign cos cumsum diagonal exp
    flatnonzero full isfinite log maximum moveaxis ones searchsorted sort sqrt square stack swapaxes triu
    triu_indices where zeros"""
"""Functions of CuPy 13 (docs.cupy.dev, routines) that metrics use, with the arguments that they use."""

CONSTANTS = {"nan": np.nan, "inf": np.inf} | {
    name: getattr(np, name) for name in ("float64", "int64", "int32", "uint64", "uint8")
}

OPERATORS = """add sub mul truediv floordiv mod pow matmul and or xor lt le gt ge eq ne radd rsub rmul rtruediv rand
ror rpow rmatmul iadd isub imul itruediv iand ior neg invert abs len"""
METHODS = "sum mean var min max all any argmax argmin reshape astype view copy conj transpose"
IN_PLACE = frozenset(["iadd", "isub", "imul", "itruediv", "iand", "ior"])


class Transfers:
    """Counts what is copied to the host."""

    numbers = 0


class DeviceArray:
    """An array that no function outside the package `cupy` can read."""

    def __init__(self, host: Any) -> None:
        self._host = np.asarray(host)

    def __array__(self, *_: object, **__: object) -> Any:
        raise AssertionError("implicit transfer from the device")

    __array_ufunc__ = None

    def __array_function__(self, function: Callable[..., Any], *_: object) -> Any:
        raise AssertionError(f"numpy.{function.__name__} was called with an array on the device")

    def _no_number(self, *_: object) -> Any:
        raise AssertionError("implicit transfer of a number from the device")

    __bool__ = __float__ = __int__ = __index__ = item = tolist = _no_number

    def __getitem__(self, key: Any) -> Any:
        return wrapped(self._host[bare(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        assert not isinstance(value, np.ndarray), "an array of the host is assigned to one on the device"
        self._host[bare(key)] = bare(value)

    def __iter__(self) -> Iterator[Any]:
        return (wrapped(row) for row in self._host)

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    dtype = property(lambda self: self._host.dtype)
    real = property(lambda self: wrapped(self._host.real))
    imag = property(lambda self: wrapped(self._host.imag))
    T = property(lambda self: wrapped(self._host.T))


DeviceArray.__module__ = "cupy"


def _operator(name: str) -> Callable[..., Any]:
    def call(self: DeviceArray, *operands: Any) -> Any:
        for operand in operands:
            # CuPy refuses to mix: "Unsupported type <class 'numpy.ndarray'>".
            assert not (isinstance(operand, np.ndarray) and operand.ndim), f"{name} of device and host arrays"
        result = getattr(self._host, f"__{name}__")(*bare(operands))
        if name in IN_PLACE:
            self._host = result
            return self
        return result if name == "len" else wrapped(result)

    return call


def _method(name: str) -> Callable[..., Any]:
    def call(self: DeviceArray, *given: Any, **named: Any) -> Any:
        return wrapped(getattr(self._host, name)(*bare(given), **bare(named)))

    return call


for _name in OPERATORS.split():
    setattr(DeviceArray, f"__{_name}__", _operator(_name))
for _name in METHODS.split():
    setattr(DeviceArray, _name, _method(_name))


def bare(value: Any) -> Any:
    if isinstance(value, DeviceArray):
        return value._host
    if isinstance(value, tuple | list):
        return type(value)(bare(item) for item in value)
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    return value


def wrapped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(wrapped(item) for item in value)
    return DeviceArray(value) if isinstance(value, np.ndarray | np.generic) else value


def _function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        if name != "asarray":
            for value in (*given, *named.values()):
                items = value if isinstance(value, tuple | list) else (value,)
                mixed = [item for item in items if isinstance(item, np.ndarray) and item.ndim]
                assert not mixed, f"cupy.{name} was called with an array of NumPy"
        return wrapped(function(*bare(given), **bare(named)))

    return call


def _asnumpy(array: Any) -> Any:
    if not isinstance(array, DeviceArray):
        return array
    Transfers.numbers += array.size
    return array._host.copy()


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package in place of CuPy."""
    package, transforms = ModuleType("cupy"), ModuleType("cupyx.scipy.fft")
    for name in FUNCTIONS.split():
        setattr(package, name, _function(name, getattr(np, name)))
    for name, value in CONSTANTS.items():
        setattr(package, name, value)
    package.asnumpy = _asnumpy  # type: ignore[attr-defined]
    for name in ("rfft", "irfft"):
        setattr(transforms, name, _function(name, getattr(scipy.fft, name)))
    transforms.next_fast_len = scipy.fft.next_fast_len  # type: ignore[attr-defined]
    outer, inner = ModuleType("cupyx"), ModuleType("cupyx.scipy")
    outer.scipy, inner.fft = inner, transforms  # type: ignore[attr-defined]
    for name, module in {"cupy": package, "cupyx": outer, "cupyx.scipy": inner, "cupyx.scipy.fft": transforms}.items():
        monkeypatch.setitem(sys.modules, name, module)
    arrays._cupy.cache_clear()
    monkeypatch.setattr(Transfers, "numbers", 0)
    yield package
    arrays._cupy.cache_clear()


def _series(regions: int = 14) -> Any:
    random = np.random.default_rng(4)
    values = 5 + random.standard_normal((2, 1300, regions)).cumsum(axis=1) * 0.1
    values[1, :, 2] = 7.0
    values[0, :, 5] = values[0, :, 4]
    return values.astype(np.float32)


def _recording(values: Any) -> Recording:
    names = ["inferiorparietal", "isthmuscingulate", "medialorbitofrontal", "posteriorcingulate", "precuneus"]
    labels = tuple(f"{side}_{name}" for side in "lr" for name in [*names, "cuneus", "insula"])
    random = np.random.default_rng(5)
    weights, lengths = random.random((2, 14, 14))
    references = {"FCD": random.random(30), "phFCD": random.random(30)}
    return Recording(values, 1.0, "Hz", labels, weights, lengths, references=references)


def _same(found: Evaluation, expected: Evaluation) -> None:
    for name, values in {**expected.columns, **expected.regional}.items():
        result = {**found.columns, **found.regional}[name]
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, values, err_msg=name)


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_runs_where_the_data_are(metric: Metric) -> None:
    expected = evaluate([metric], {"E": _recording(_series())}, chunk=2)
    _same(evaluate([metric], {"E": _recording(DeviceArray(_series()))}, chunk=2), expected)


@pytest.mark.usefixtures("cupy")
def test_instances_that_are_not_finite_are_left_out_on_the_device_too() -> None:
    values = _series()
    values[1, 3, 3] = np.nan
    expected = evaluate(ALL, {"E": _recording(values)}, chunk=2)
    _same(evaluate(ALL, {"E": _recording(DeviceArray(values))}, chunk=2), expected)


@pytest.mark.usefixtures("cupy")
def test_statistics_may_lie_on_the_device() -> None:
    moments = np.random.default_rng(6).random((4, 3, 14))
    fc = np.ones((3, 14, 14))

    def evaluated(place: Callable[[Any], Any]) -> Evaluation:
        statistics = Statistics(*map(place, moments), fc=place(fc))
        made = Recording(None, 1.0, "kHz", tuple("abcdefghijklmn"), np.eye(14), None, statistics)
        return evaluate([item for item in ALL if item.needs != "series"], {"E": made})

    _same(evaluated(DeviceArray), evaluated(np.asarray))


@pytest.mark.usefixtures("cupy")
def test_little_is_copied_to_the_host() -> None:
    values = _series()
    evaluate(ALL, {"E": _recording(DeviceArray(values))}, chunk=2)
    # Spectra (650 numbers), histograms (14 x 101) and results of each instance.
    assert Transfers.numbers < 2 * (650 + 14 * 102 + 700) + 2000
    assert Transfers.numbers < values.size / 5


def test_the_double_catches_what_it_should(cupy: Any) -> None:
    array = DeviceArray(np.ones(3))
    for breach in (
        lambda: np.sum(array),
        lambda: np.asarray(array),
        lambda: float(array.sum()),
        lambda: bool(array.any()),
        lambda: array + np.ones(3),
        lambda: cupy.where(np.ones(3), array, 0.0),
    ):
        with pytest.raises((AssertionError, TypeError)):
            breach()
    with pytest.raises(AttributeError):
        cupy.median(array)
