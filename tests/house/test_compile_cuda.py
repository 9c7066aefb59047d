"""The reader of ptxas's report, the table of what kernels take, and two kernels that nvcc compiles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ratemlx.abi import Form
from ratemlx.runtime.devices.ptxas import Usage, usages
from tests.house.compile_cuda import FUNCTIONS, GENERATED, Variant, compile_kernel, variants
from tests.house.kernel_table import TABLE, Row, compared, read_table, written_table
from tests.support.tools import needed_nvcc

REPORT = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'ratemlx_advance' for 'sm_90'
ptxas info    : Function properties for ratemlx_advance
    0 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 128 registers, used 0 barriers, 2048 bytes smem, 496 bytes cmem[0]
ptxas info    : Compiling entry function 'ratemlx_start' for 'sm_90'
ptxas info    : Function properties for ratemlx_start
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 24 registers, used 0 barriers, 496 bytes cmem[0]
"""
ROW = Row("adex", "sm_90", "float32", "block", 96, 0, 2048, 1900, 900, 60)


def test_what_a_kernel_takes_is_read_from_the_report() -> None:
    assert tuple(usages(REPORT)) == (Usage("ratemlx_advance", 128, 12, 2048), Usage("ratemlx_start", 24, 0, 0))


@pytest.mark.parametrize("form", ["block", "tile"])
def test_a_committed_kernel_compiles_without_spills(form: Form) -> None:
    found = compile_kernel(needed_nvcc(), Variant(GENERATED / "montbrio" / "cuda", "sm_80", form=form))
    assert {usage.function for usage in found} == {"start_kernel", FUNCTIONS[form]}
    assert [usage.spilled_bytes for usage in found] == [0, 0]


def test_the_committed_table_has_every_kernel_and_no_spill() -> None:
    text = TABLE.read_text(encoding="utf-8")
    version, rows = read_table(text)
    assert [row.name for row in rows] == [variant.name for variant in variants()]
    assert not any(row.spilled for row in rows)
    assert written_table(rows, version) == text


def test_growth_is_reported() -> None:
    assert compared([replace(ROW, registers=90, step=944)], "13.0", "13.0", [ROW]) == []
    worse = replace(ROW, registers=97, shared=4096, step=946, edge=None)
    assert [text.partition(";")[0] for text in compared([worse], "13.0", "13.0", [ROW])] == [
        "adex sm_90 float32 block takes 97 registers",
        "adex sm_90 float32 block takes 4096 bytes of shared memory",
        "adex sm_90 float32 block has 946 instructions (step)",
    ]


def test_another_compiler_may_take_more_but_must_not_spill() -> None:
    worse = replace(ROW, registers=128, step=1200)
    assert compared([worse], "12.8", "13.0", [ROW]) == []
    assert compared([replace(worse, spilled=8)], "12.8", "13.0", [ROW]) == [
        "adex sm_90 float32 block spills 8 bytes of registers"
    ]


def test_a_kernel_without_a_row_is_reported() -> None:
    other = replace(ROW, model="montbrio")
    (complaint,) = compared([other], "13.0", "13.0", [ROW])
    assert complaint.startswith("cuda_kernels.txt has other kernels than there are")
