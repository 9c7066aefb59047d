"""What abi.py says of a GPU's kernels: variants, launches and shared memory; nvcc says the same."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import cast

import pytest

from ratemlx import abi
from ratemlx.resources import INCLUDE
from tests.house.compile_cuda import GENERATED, Variant, compile_kernel
from tests.support.tools import needed_nvcc

BATCH = abi.Batch(n_tiles=3, n_nodes=68, n_steps=37)


def manifest(model: str, target: str = "cuda") -> abi.Manifest:
    """The manifest of a committed kernel."""
    return abi.Manifest.load(GENERATED / model / target)


def test_a_launch_for_each_block_of_steps() -> None:
    launches = list(abi.advance_launches(BATCH, "block", lanes=32, block=16))
    assert [item.steps for item in launches] == [16, 16, 5]
    assert {(item.function, item.grid, item.threads) for item in launches} == {("advance_kernel", (3, 68), (32, 1))}
    assert abi.start_launch(BATCH, 32) == abi.Launch("start_kernel", (3, 68), (32, 1), 0)


def test_one_launch_where_a_thread_block_keeps_a_tile() -> None:
    (launch,) = abi.advance_launches(BATCH, "tile", lanes=32, block=1)
    assert launch == abi.Launch("advance_tile_kernel", (3, 1), (32, 8), 37)
    assert [abi.tile_rows(lanes) for lanes in (8, 32, 64, 256, 512)] == [32, 8, 4, 1, 1]


def test_definitions_of_a_gpu_are_left_out_on_a_cpu() -> None:
    chosen = abi.definitions(manifest("adex"), lanes=32, block=1, form="tile", fast_math=True, history="bfloat16")
    wanted = {"FORM": "1", "ROWS": "8", "WARPS": "20", "FAST_MATH": "1", "HISTORY": "2"}
    assert {name: chosen[f"RATEMLX_{name}"] for name in wanted} == wanted
    assert abi.compiler_flags(chosen) == abi.FAST_MATH_FLAGS
    on_cpu = abi.definitions(manifest("adex", "cpp"), lanes=16, block=1, form="tile", fast_math=True, history="float32")
    assert not {f"RATEMLX_{name}" for name in wanted} & set(on_cpu)
    assert abi.compiler_flags(on_cpu) == ()


def test_only_large_steps_in_float32_are_short_of_registers() -> None:
    def warps(model: str, precision: abi.Precision, form: abi.Form = "block") -> str | None:
        chosen = abi.definitions(manifest(model), lanes=32, block=16, precision=precision, form=form)
        return chosen.get("RATEMLX_WARPS")

    assert [warps("adex", "float32"), warps("adex", "float64"), warps("montbrio", "float32")] == ["20", None, None]
    assert [warps("adex", "float64", "tile"), warps("montbrio", "float32", "tile")] == ["8", "8"]


@pytest.mark.parametrize(("precision", "form", "block"), [("float32", "block", 16), ("float64", "tile", 1)])
@pytest.mark.parametrize("model", ["montbrio", "kuramoto"])
def test_shared_memory_is_what_the_compiler_reports(model: str, precision: str, form: str, block: int) -> None:
    exact, shape = cast("abi.Precision", precision), cast("abi.Form", form)
    variant = Variant(GENERATED / model / "cuda", "sm_90", exact, shape)
    usage = next(item for item in compile_kernel(needed_nvcc(), variant) if item.function.startswith("advance"))
    expected = abi.shared_bytes(manifest(model), lanes=32, block=block, precision=exact, form=shape)
    assert usage.shared_bytes == expected
    assert expected == (0 if model == "kuramoto" else 2048)


def test_too_much_shared_memory_is_refused_with_a_reason() -> None:
    found = manifest("montbrio")
    lanes = 1024
    assert abi.shared_bytes(found, lanes=lanes, block=16) > abi.SHARED_BYTES
    macros = abi.definitions(found, lanes=lanes, block=16)
    command = [needed_nvcc(), "-arch=sm_90", "-std=c++17", "-cubin", "-I", str(INCLUDE), "-o", "/dev/null"]
    command += [*(f"-D{name}={value}" for name, value in macros.items()), str(GENERATED / "montbrio/cuda/montbrio.cu")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode
    assert re.search("do not fit into 48 KiB of shared memory: use fewer lanes", done.stderr)


def test_a_kernel_that_gathers_step_by_step_shares_nothing() -> None:
    found = manifest("montbrio")
    assert abi.shared_bytes(replace(found, gather="step"), lanes=32, block=16) == 0
    assert abi.shared_bytes(replace(found, channels=2), lanes=32, block=16, precision="float64") == 2 * 16 * 32 * 8
