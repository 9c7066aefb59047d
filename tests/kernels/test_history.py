"""Histories kept in fewer bits: the conversions to the letter, and what they cost in accuracy.

`pytest -v` lists the errors of networks; docs/accuracy.md has a copy of them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.abi import HISTORY_CODES, HistoryPrecision, Manifest, history_bytes, history_dtype
from ratemlx.runtime import load_connectome
from ratemlx.runtime.devices.compiler import compile_library
from ratemlx.runtime.edges import delays, edges
from tests.support.kernel_runs import GENERATED, Case, Network, Outcome, build, call, random_network

Record = Callable[[str, float], None]
Array = NDArray[np.generic]

SOURCE = """
#include "ratemlx/variant.h"
#ifdef ON_HOST
#include "ratemlx/simd.h"
#define STRIDE LANES
#else
#include "ratemlx/emulate.h"
#define STRIDE 1
#endif
extern "C" void call_keep(const scalar *from, stored *to, int n)
{
    for (int i = 0; i < n; i += STRIDE) keep(to + i, load(from + i));
}
extern "C" void call_recall(const stored *from, scalar *to, int n)
{
    for (int i = 0; i < n; i += STRIDE) store(to + i, recall(from + i));
}
"""
HALF_ULP: dict[HistoryPrecision, float] = {"float16": 2.0**-11, "bfloat16": 2.0**-8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where things are compiled."""
    return tmp_path_factory.mktemp("history")


def library(folder: Path, dialect: str, precision: str, history: HistoryPrecision) -> ctypes.CDLL:
    """`keep` and `recall` of one dialect over arrays."""
    source = folder / "history.cpp"
    source.write_text(SOURCE)
    chosen = {"RATEMLX_HISTORY": str(HISTORY_CODES[history]), "RATEMLX_LANES": "8"}
    chosen |= {"ON_HOST": "1"} if dialect == "cpp" else {}
    return ctypes.CDLL(
        str(compile_library(source, chosen | ({"RATEMLX_FLOAT64": "1"} if precision == "float64" else {})))
    )


def convert(function: Callable[..., None], values: Array, to: str) -> Array:
    """A function of the library over an array of a multiple of 8 items."""
    result = np.empty(len(values), dtype=to)
    function(ctypes.c_void_p(values.ctypes.data), ctypes.c_void_p(result.ctypes.data), len(values))
    return result


def shortened(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """bfloat16 as its definition has it: the nearer of two neighbours, the even one between them."""
    bits = values.view(np.uint32).astype(np.uint64)
    below, rest = bits >> 16, bits & 0xFFFF
    up = (rest > 0x8000) | ((rest == 0x8000) & (below & 1 == 1))
    result = (below + up).astype(np.uint16)
    result[np.isnan(values)] = 0x7FC0
    return result


def trials() -> NDArray[np.float32]:
    """Numbers of every size, and those where rounding turns: halves of last places, the ends of ranges, specials."""
    rng = np.random.default_rng(4)
    anything = rng.integers(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    usual = (rng.standard_normal(100_000) * 10.0 ** rng.uniform(-9, 5, 100_000)).astype(np.float32)
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    between = (halves[:-1].astype(np.float64) + halves[1:]) / 2
    turns = np.concatenate([halves[:-1], between.astype(np.float32)])
    specials = np.array(
        [0.0, -0.0, np.inf, -np.inf, np.nan, 65519.9, 65520.0, 65536.0, 3.4e38, 1e-45], dtype=np.float32
    )
    found = np.concatenate([anything, usual, turns, np.nextafter(turns, np.float32(np.inf)), specials])
    return np.concatenate([found, np.zeros(-len(found) % 8, dtype=np.float32)])


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("dialect", ["cpp", "cuda"])
@pytest.mark.parametrize("history", ["float16", "bfloat16"])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast", "ignore:invalid value encountered")
def test_numbers_are_rounded_to_the_nearest(
    history: HistoryPrecision, dialect: str, precision: str, folder: Path
) -> None:
    functions = library(folder, dialect, precision, history)
    numbers = trials()
    kept = convert(functions.call_keep, np.ascontiguousarray(numbers.astype(precision)), "uint16")
    expected = numbers.astype(np.float16).view(np.uint16) if history == "float16" else shortened(numbers)
    number = ~np.isnan(numbers)
    np.testing.assert_array_equal(kept[number], expected[number])
    recalled = convert(functions.call_recall, np.arange(2**16, dtype=np.uint16), precision)
    every = np.arange(2**16, dtype=np.uint32)
    exact = every.astype(np.uint16).view(np.float16) if history == "float16" else (every << 16).view(np.float32)
    np.testing.assert_array_equal(recalled, exact.astype(precision))
    assert np.isnan(recalled[kept[~number]]).all()


def test_a_history_of_float32_serves_a_kernel_of_float64(folder: Path) -> None:
    for dialect in ("cpp", "cuda"):
        functions = library(folder, dialect, "float64", "float32")
        numbers = np.random.default_rng(5).standard_normal(800)
        kept = convert(functions.call_keep, numbers, "float32")
        np.testing.assert_array_equal(kept, numbers.astype(np.float32))
        np.testing.assert_array_equal(convert(functions.call_recall, kept, "float64"), kept.astype(np.float64))


def test_bytes_and_types_of_items() -> None:
    assert [history_bytes("float32", item) for item in (None, "float32", "float16", "bfloat16")] == [4, 4, 2, 2]
    assert [history_bytes("float64", item) for item in (None, "float32", "float16")] == [8, 4, 2]
    assert [history_dtype("float64", item) for item in (None, "float32", "float16", "bfloat16")] == [
        "float64",
        "float32",
        "float16",
        "uint16",
    ]


@pytest.mark.parametrize("history", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("model", ["montbrio", "kuramoto", "adex"])
def test_the_targets_agree_on_it(model: str, history: HistoryPrecision, folder: Path) -> None:
    own = Manifest.load(GENERATED / model / "cuda").gather == "block"
    case = Case(model, random_network(9, 3, 40, own=own), 33, precision="float64", history=history)
    found, expected = call(build(folder, case), case), call(build(folder, case.on_cpu()), case.on_cpu())
    full = replace(case, history=None)
    exact = call(build(folder, full), full)
    scale = np.ptp(exact.samples, axis=(0, 1, 3), keepdims=True)
    # A last bit that differs between targets may fall to either side of a turn of the rounding.
    bound = HALF_ULP.get(history, 2.0**-24)
    assert (np.abs(found.samples - expected.samples) / scale).max() <= 0.1 * bound
    assert 0 < (np.abs(found.samples - exact.samples) / scale).max() <= 10 * bound


def brain(dt: float = 0.1, speed: float = 3.0) -> Network:
    """The 68 regions of the reference data; every delay is longer than a block of 8 steps."""
    found = edges(load_connectome("tvb:68").normalized("out-strength"))
    steps = delays(found, speed, dt)
    none = np.zeros(0, dtype=np.int32)
    weights = found.weight
    return Network(68, found.begin, found.source, steps, weights, np.zeros(69, dtype=np.int32), none, none * 1.0)


def simulate(folder: Path, case: Case, history: HistoryPrecision | None) -> Outcome:
    """A long run on the CPU, as it is compiled for use."""
    chosen = replace(case, target="cpp", lanes=8, history=history, noise=False, block=8, spread=0.0)
    return call(build(folder, chosen, ("-O3", "-ffp-contract=fast")), chosen)


BOUNDS: dict[HistoryPrecision | None, tuple[float, float]] = {
    None: (2e-4, 1e-4),
    "float16": (5e-3, 1e-3),
    "bfloat16": (5e-2, 1e-2),
}
"""Largest error of AdEx (kHz) and of Montbrio (of the range), both computed in float32."""


@pytest.mark.parametrize("history", BOUNDS)
def test_adex_against_the_reference(
    history: HistoryPrecision | None, reference: Path, folder: Path, record: Record
) -> None:
    with np.load(reference / "adex" / "network_second_order.npz") as data:
        names, points = [str(name) for name in data["param_names"]], data["params"]
        expected = np.stack([data["E"], data["I"]], axis=2)
    speeds = points[:, names.index("conduction_speed")]
    initial = tuple((item.name, 0.0) for item in Manifest.load(GENERATED / "adex" / "cpp").state_variables)
    errors = []
    for speed in np.unique(speeds):
        chosen = points[speeds == speed]
        columns = tuple((name, tuple(chosen[:, at])) for at, name in enumerate(names) if name != "conduction_speed")
        case = Case("adex", brain(speed=speed), len(chosen), steps=20_000, parameters=columns, steps_per_sample=10)
        found = simulate(folder, replace(case, initial=(*initial, ("W_e", 100.0))), history)
        errors.append(np.abs(found.samples[:, :, :2] - expected[speeds == speed]))
    error = np.concatenate(errors)
    record("kHz, largest", error.max())
    record("kHz, root of mean square", float(np.sqrt(np.mean(error**2))))
    assert error.max() <= BOUNDS[history][0]


@pytest.mark.parametrize("history", BOUNDS)
def test_montbrio_against_float64(history: HistoryPrecision | None, folder: Path, record: Record) -> None:
    case = Case("montbrio", brain(), 8, steps=20_000, steps_per_sample=10)
    exact = simulate(folder, replace(case, precision="float64"), None)
    found = simulate(folder, case, history)
    error = np.abs(found.samples - exact.samples) / np.ptp(exact.samples, axis=(0, 1, 3), keepdims=True)
    record("of the range, largest", error.max())
    assert error.max() <= BOUNDS[history][1]
