"""Counting what a kernel executes: the reader of nvdisasm's text, and a kernel that nvcc compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.bench import sass
from ratemlx.errors import DeviceError
from tests.house.compile_cuda import GENERATED, Variant, compile_kernel
from tests.support.tools import needed_nvcc

LISTING = """\
//--------------------- .text.advance_kernel      --------------------------
.text.advance_kernel:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
.L_x_1:
        /*0010*/                   LDG.E R2, desc[UR14][R4.64] ;
        /*0020*/                   FFMA R6, R2, R3, R6 ;
        /*0030*/              @!P0 BRA `(.L_x_1) ;
        /*0040*/                   STS [R8], R6 ;
.L_x_2:
        /*0050*/                   LDS R9, [R8] ;
        /*0060*/                   FFMA R6, R9, R7, R6 ;
        /*0070*/                   FMUL R10, R6, 15 ;
        /*0080*/                   MUFU.RCP R11, R10 ;
        /*0090*/               @P0 BRA `(.L_x_3) ;
        /*00a0*/                   CALL.REL.NOINC `($__internal_0_$__cuda_sm20_rcp_rn_f32_slowpath) ;
.L_x_3:
        /*00b0*/               @P1 BRA `(.L_x_4) ;
        /*00c0*/                   IMAD.WIDE.U32 R6, R7, -0x326172a9, RZ ;
        /*00d0*/                   FADD R12, R12, R6 ;
.L_x_4:
        /*00e0*/                   STG.E desc[UR14][R14.64], R12 ;
        /*00f0*/               @P2 BRA `(.L_x_5) ;
        /*0100*/                   FMUL R13, R13, R0 ;
        /*0110*/                   STG.E desc[UR14][R16.64], R13 ;
.L_x_5:
        /*0120*/              @!P3 BRA `(.L_x_2) ;
        /*0130*/                   EXIT ;
.L_x_6:
        /*0140*/                   BRA `(.L_x_6);
//--------------------- .text.start_kernel      --------------------------
.text.start_kernel:
        /*0000*/                   EXIT ;
"""


def test_functions_are_counted_apart() -> None:
    found = sass.count_sass(LISTING)
    assert {name: item.written.total for name, item in found.items()} == {"advance_kernel": 21, "start_kernel": 1}
    assert found["start_kernel"].step is None
    assert found["start_kernel"].edge is None


def test_a_step_counts_what_it_executes() -> None:
    counts = sass.count_sass(LISTING, steps_per_sample=10)["advance_kernel"]
    assert counts.step is not None
    assert counts.edge is not None
    # Noise in one step of four, the end of a sample in one of ten, the slow way of a division never.
    assert counts.step.by_name == pytest.approx(
        {"LDS": 1, "FFMA": 1, "FMUL": 1.1, "MUFU": 1, "BRA": 4, "IMAD": 0.25, "FADD": 0.25, "STG": 1.1}
    )
    assert counts.step.operations == pytest.approx(2 + 1.1 + 1 + 0.25)
    assert counts.step.by_class() == pytest.approx(
        {"fma": 1, "add": 0.25, "multiply": 1.1, "special": 1, "load": 0, "store": 1.1, "shared": 1, "branch": 4}
        | {"other": 0.25}
    )
    assert counts.edge.by_name == {"LDG": 1, "FFMA": 1, "BRA": 1}
    per_step = sass.floating_point_operations_per_step(counts, block=16, edges_per_region=8.0)
    assert per_step == pytest.approx(counts.step.operations + 2 * 8 / 16)
    assert sass.instructions_per_step(counts, block=16, edges_per_region=8.0) == pytest.approx(9.7 + 3 * 8 / 16)


def test_without_a_disassembler_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sass, "find_disassembler", lambda: None)
    with pytest.raises(DeviceError) as caught:
        sass.disassemble(tmp_path / "kernel.cubin")
    assert caught.value.hint == "pip install nvidia-cuda-nvdisasm"


def test_a_step_of_montbrio_has_the_arithmetic_of_its_equations(tmp_path: Path) -> None:
    cubin = tmp_path / "montbrio.cubin"
    compile_kernel(needed_nvcc(), Variant(GENERATED / "montbrio" / "cuda", "sm_90"), cubin)
    counts = sass.count_sass(sass.disassemble(cubin))["advance_kernel"]
    assert counts.step is not None
    assert counts.edge is not None
    # An edge is 16 loads and multiply-adds beside its source, delay, weight and addresses.
    assert [counts.edge.by_name[name] for name in ("FFMA", "LDG")] == [16, 19]
    assert 40 < counts.step.operations < 80
    assert counts.step.by_name["LDS"] == 1
    assert 1 <= counts.step.by_name["STG"] < 2.5
