"""CUDA kernels on the host under AddressSanitizer and UndefinedBehaviorSanitizer, and that they catch what is planted.

Arrays are no longer than `abi.h` says, what a kernel must set is not a number before, and variables that a function has
not set hold a pattern.
"""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.abi import Manifest
from tests.support.kernel_runs import (
    GENERATED,
    MODELS,
    PLAIN,
    SANITIZED,
    Array,
    Case,
    Outcome,
    build,
    call,
    random_network,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where kernels are compiled."""
    return tmp_path_factory.mktemp("sanitized")


def case(model: str, **changes: object) -> Case:
    """An odd number of instances and of regions."""
    own = Manifest.load(GENERATED / model / "cuda").gather == "block"
    return replace(Case(model, random_network(7, 3, 18, own=own), 33), **changes)


def planted(folder: Path, chosen: Case, right: str, wrong: str) -> Path:
    """The case's kernel with a fault in it."""
    kernel = chosen.folder / f"{chosen.model}.cu"
    text = kernel.read_text(encoding="utf-8")
    assert text.count(right) == 1
    changed = folder / f"{zlib.crc32(wrong.encode())}.cu"
    changed.write_text(text.replace(right, wrong), encoding="utf-8")
    return changed


def complaint(program: Path, chosen: Case, changed: Mapping[str, Array] | None = None) -> str:
    """What a sanitizer says."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        call(program, chosen, changed)
    return str(caught.value.stderr)


def same(first: Outcome, second: Outcome) -> bool:
    """Whether two runs agree to the last bit."""
    return np.array_equal(first.samples, second.samples) and np.array_equal(first.states, second.states)


@pytest.mark.parametrize("model", MODELS)
def test_kernels_keep_to_their_arrays_and_set_what_they_read(model: str, folder: Path) -> None:
    chosen = case(model)
    found = call(build(folder, chosen, SANITIZED), chosen)
    assert np.isfinite(found.samples).all()
    assert same(found, call(build(folder, chosen, PLAIN), chosen))


@pytest.mark.parametrize("history", [None, "float16", "bfloat16"])
@pytest.mark.parametrize(("model", "precision"), [("montbrio", "float64"), ("kuramoto", "float32")])
def test_so_does_the_form_that_keeps_a_tile(model: str, precision: str, history: str | None, folder: Path) -> None:
    chosen = case(model, form="tile", precision=precision, history=history)
    found = call(build(folder, chosen, SANITIZED), chosen)
    assert np.isfinite(found.samples).all()


def test_the_cpp_kernel_keeps_to_its_arrays(folder: Path) -> None:
    chosen = case("adex").on_cpu()
    assert np.isfinite(call(build(folder, chosen, SANITIZED), chosen).samples).all()


@pytest.mark.parametrize("model", ["montbrio", "kuramoto"])
def test_an_array_that_is_too_short_is_seen(model: str, folder: Path) -> None:
    chosen = case(model)
    program = build(folder, chosen, SANITIZED)
    mirrored = np.full(chosen.network.n_regions * chosen.ring_rows * 32, np.nan, dtype=np.float32)
    assert "heap-buffer-overflow" in complaint(program, chosen, {"history": mirrored})


def test_a_source_beyond_the_regions_is_seen(folder: Path) -> None:
    chosen = case("montbrio")
    sources = chosen.network.source.copy()
    sources[-1] = 1 << 20
    program = build(folder, chosen, SANITIZED)
    said = complaint(program, chosen, {"edge_source": sources})
    assert "AddressSanitizer" in said


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("(row + batch.ring_rows) * LANES", "(row + batch.ring_rows + RATEMLX_BLOCK) * LANES", "heap-buffer-overflow"),
        (
            "real total[N_TERMS + 1], coupling[N_TERMS + 1];",
            "real total[N_TERMS + 1], coupling[N_TERMS - 1];",
            "insufficient space",
        ),
        ("const int step = first_step + b;", "const int step = first_step + b + INT32_MAX;", "signed integer overflow"),
    ],
    ids=["out-of-bounds", "local-array", "overflow"],
)
def test_a_planted_fault_is_seen(right: str, wrong: str, words: str, folder: Path) -> None:
    chosen = case("montbrio")
    program = build(folder, chosen, SANITIZED, planted(folder, chosen, right, wrong))
    assert words in complaint(program, chosen)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("sum[i] = load(sums + (int64_t)i * batch.n_nodes * LANES);", ";"),
        ("row < batch.ring_rows; ++row) publish", "row < batch.ring_rows - 1; ++row) publish"),
    ],
    ids=["a-local-variable", "a-row-of-the-history"],
)
def test_a_planted_read_of_what_was_never_set_shows_in_the_results(right: str, wrong: str, folder: Path) -> None:
    chosen = case("montbrio", noise=False)
    program = build(folder, chosen, SANITIZED, planted(folder, chosen, right, wrong))
    assert not same(call(program, chosen), call(build(folder, chosen), chosen))
