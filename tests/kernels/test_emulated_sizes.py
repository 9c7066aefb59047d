"""Every CUDA kernel on the host against its C++ kernel, at sizes that are no multiple of anything, and in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.abi import Manifest
from tests.support.kernel_runs import GENERATED, MODELS, Case, Outcome, build, call, random_network

Record = Callable[[str, float], None]

SIZES = ((1000, 2), (33, 68), (31, 1), (1, 998))
"""Instances and regions."""
BOUNDS = {"float32": 1e-4, "float64": 1e-11}
"""Of each exposure's range."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where kernels are compiled; sizes are given to them when they run."""
    return tmp_path_factory.mktemp("kernels")


def case(model: str, instances: int, regions: int, shortest: int = 3) -> Case:
    """Blocks of four steps where delays allow them."""
    gathers = Manifest.load(GENERATED / model / "cuda").gather
    network = random_network(regions, shortest, 40, own=gathers == "block")
    return Case(model, network, instances, block=4 if shortest >= 3 else 1)


def run(folder: Path, chosen: Case) -> Outcome:
    """A case that must give numbers everywhere."""
    found = call(build(folder, chosen), chosen)
    assert np.isfinite(found.samples).all()
    return found


def difference(found: Outcome, expected: Outcome) -> float:
    """The largest difference of a sample, relative to the range of its exposure."""
    exposure_last = [np.moveaxis(item.samples, 2, -1) for item in (found, expected)]
    off, wanted = (item.reshape(-1, item.shape[-1]) for item in (np.abs(np.subtract(*exposure_last)), exposure_last[1]))
    return float((off.max(axis=0) / np.ptp(wanted, axis=0)).max())


def same(first: Outcome, second: Outcome) -> bool:
    """Whether two runs agree to the last bit."""
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in vars(first))


@pytest.mark.parametrize("model", MODELS)
def test_emulated_and_cpp_agree_at_odd_sizes(model: str, folder: Path, record: Record) -> None:
    errors = []
    for instances, regions in SIZES:
        chosen = case(model, instances, regions)
        errors.append(difference(run(folder, chosen), run(folder, chosen.on_cpu())))
    record("of the range", max(errors))
    assert max(errors) <= BOUNDS["float32"]


@pytest.mark.parametrize("model", ["adex", "kuramoto", "wong_wang_exc_inh"])
def test_in_float64_too(model: str, folder: Path, record: Record) -> None:
    chosen = replace(case(model, 33, 9), precision="float64")
    error = difference(run(folder, chosen), run(folder, chosen.on_cpu()))
    record("of the range", error)
    assert error <= BOUNDS["float64"]


@pytest.mark.parametrize("model", MODELS)
def test_neither_form_nor_order_nor_lanes_alter_a_bit(model: str, folder: Path) -> None:
    chosen = case(model, 40, 9)
    expected = run(folder, chosen)
    variants = (
        replace(chosen, macros=(("RATEMLX_BACKWARDS", "1"),)),
        replace(chosen, form="tile", macros=(("RATEMLX_BACKWARDS", "1"),)),
        replace(chosen, form="tile", lanes=64, spare_rows=3),
    )
    assert [same(run(folder, variant), expected) for variant in variants] == [True, True, True]


@pytest.mark.parametrize("model", ["montbrio", "kuramoto", "wong_wang_exc_inh"])
def test_a_tile_steps_one_by_one_where_there_are_no_delays(model: str, folder: Path) -> None:
    chosen = case(model, 33, 19, shortest=0)
    tile = replace(chosen, form="tile")
    assert same(run(folder, tile), run(folder, chosen))
    assert difference(run(folder, tile), run(folder, chosen.on_cpu())) <= BOUNDS["float32"]


@pytest.mark.parametrize(("model", "shortest"), [("montbrio", 0), ("montbrio", 3), ("kuramoto", 0)])
def test_a_ring_that_is_one_block_too_short_depends_on_the_order(model: str, shortest: int, folder: Path) -> None:
    chosen = case(model, 3, 19, shortest=shortest)
    backwards = replace(chosen, macros=(("RATEMLX_BACKWARDS", "1"),))
    assert same(run(folder, backwards), run(folder, chosen))
    # Blocks of one step: a ring one row too short.
    short, backwards = replace(chosen, spare_rows=-1), replace(backwards, spare_rows=-1)
    assert not same(run(folder, backwards), run(folder, short))
