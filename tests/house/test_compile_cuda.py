"""The reader of ptxas's report, and one kernel compiled where nvcc is found."""

from __future__ import annotations

import pytest

from tests.house.compile_cuda import GENERATED, Usage, compile_kernel, compile_program, find_nvcc, usages

REPORT = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'ratemlx_advance' for 'sm_90'
ptxas info    : Function properties for ratemlx_advance
    0 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 128 registers, used 0 barriers, 496 bytes cmem[0]
ptxas info    : Compiling entry function 'ratemlx_start' for 'sm_90'
ptxas info    : Function properties for ratemlx_start
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 24 registers, used 0 barriers, 496 bytes cmem[0]
"""


def test_registers_and_spills_are_read_from_the_report() -> None:
    assert tuple(usages(REPORT)) == (Usage("ratemlx_advance", 128, 12), Usage("ratemlx_start", 24, 0))


def test_a_committed_kernel_compiles_without_spills() -> None:
    nvcc = find_nvcc()
    if nvcc is None:
        pytest.skip("no nvcc")
    found = compile_kernel(nvcc, GENERATED / "montbrio" / "cuda", "sm_80")
    assert {usage.function for usage in found} == {"start_kernel", "advance_kernel"}
    assert [usage.spilled_bytes for usage in found] == [0, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["moments", "balloon"])
def test_programs_of_observables_compile_without_spills(name: str, dtype: str) -> None:
    nvcc = find_nvcc()
    if nvcc is None:
        pytest.skip("no nvcc")
    for usage in compile_program(nvcc, name, "sm_80", dtype):
        assert usage.spilled_bytes == 0, usage
