"""The harness of the paper's kernel feeds it rightly: held against the same kernel called array by array."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.bench.paper_kernel import (
    KERNEL,
    REPAIRS,
    PaperRun,
    Toolchain,
    compile_paper_kernel,
    find_kernel,
    find_toolchain,
    paper_points,
    time_paper_kernel,
)
from ratemlx.errors import DeviceError
from ratemlx.runtime import Connectome
from tests.support.rateml_kernel import SHIM, RatemlKernel
from tests.support.shipped import brain

ACTIVE = (0.01, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""A start from which rates do not fall to nothing."""
HOST = Toolchain(("g++",), (SHIM,), nvcc=False)


@pytest.fixture(scope="module")
def few() -> Connectome:
    return brain(5).normalized("out-strength")


def means(run: PaperRun, folder: Path) -> np.ndarray:
    program = compile_paper_kernel(HOST, find_kernel(), folder, run)
    timing = time_paper_kernel(program, run, folder / "means")
    assert timing.steps == (max(1, run.samples - 1)) * run.steps_per_sample
    assert timing.rate > 0
    shape = (run.samples, run.exposures, run.connectome.n_regions, len(run.points))
    return np.fromfile(folder / "means", dtype=np.float32).reshape(shape)


def test_means_are_those_of_the_kernel(few: Connectome, tmp_path: Path) -> None:
    """Every sample of every instance, to the bit: here on a grid of blocks, there called with one row of threads."""
    run = PaperRun(few, paper_points(6), samples=4, repaired=True, first_step=4096, start=ACTIVE)
    (tmp_path / "program").mkdir()
    found = means(run, tmp_path / "program")
    kernel = RatemlKernel(find_kernel() / KERNEL, _with_header(tmp_path), REPAIRS)
    state = np.zeros((run.rows, 8, 5, 6), np.float32)
    state[:] = np.array(ACTIVE)[None, :, None, None]
    for sample in range(4):
        wanted = kernel.launch(
            weights=few.weights.astype(np.float32),
            lengths=few.tract_lengths.astype(np.float32),
            params=np.ascontiguousarray(run.points.T),
            state=state,
            first_step=4096 + 10 * sample,
            n_steps=10,
            dt=0.1,
        )
        np.testing.assert_array_equal(found[sample], wanted[:2])
    assert np.ptp(found[3, 0]) > 1e-6, "points differ"


def _with_header(folder: Path) -> Path:
    (folder / "zerlaut_func.h").write_text((find_kernel() / "zerlaut_func.h").read_text(encoding="utf-8"), "utf-8")
    return folder


def test_the_shipped_kernel_computes_a_block_over_and_over(few: Connectome, tmp_path: Path) -> None:
    """Its threads' numbers leave the block out: four blocks of 2 x 2 threads compute the same four of 16 instances."""
    run = PaperRun(few, paper_points(16), samples=2, block=(2, 2))
    assert run.grid == (2, 2)
    for repaired, computed in ((False, 4), (True, 16)):
        folder = tmp_path / str(repaired)
        folder.mkdir()
        found = means(replace(run, repaired=repaired), folder)
        assert (found[-1, 0, 0] != 0).sum() == computed


def test_the_shipped_kernel_sums_no_coupling(few: Connectome, tmp_path: Path) -> None:
    run = PaperRun(few, paper_points(1), samples=20, first_step=4096, start=ACTIVE)
    apart = replace(run, connectome=Connectome(np.zeros((5, 5)), few.tract_lengths, few.region_labels, "apart"))
    series = {}
    for repaired in (False, True):
        for name, case in (("joined", run), ("apart", apart)):
            folder = tmp_path / f"{repaired}-{name}"
            folder.mkdir()
            series[repaired, name] = means(replace(case, repaired=repaired), folder)[-1]
    np.testing.assert_array_equal(series[False, "joined"], series[False, "apart"])
    assert np.abs(series[True, "joined"] - series[True, "apart"]).max() > 1e-6


def test_sizes_of_the_papers_run() -> None:
    whole = brain(68)
    run = PaperRun(whole, paper_points(16_384), samples=10)
    assert (run.rows, run.grid, run.block) == (1024, (4, 4), (32, 32))
    assert run.state_bytes == 1024 * 7 * 68 * 16_384 * 4
    assert 16_384 < 40e9 / (run.state_bytes / 16_384) < 21_000


def test_a_kernel_with_other_text_is_refused(few: Connectome, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / KERNEL).write_text("// another one\n", encoding="utf-8")
    (source / "zerlaut_func.h").write_text("", encoding="utf-8")
    with pytest.raises(DeviceError, match=r"has another zerlaut\.c"):
        compile_paper_kernel(HOST, source, tmp_path, PaperRun(few, paper_points(1), 1, repaired=True))


@pytest.mark.parametrize("repaired", [False, True])
def test_it_compiles_for_gpus(repaired: bool, few: Connectome, tmp_path: Path) -> None:
    run = PaperRun(few, paper_points(1), 1, repaired=repaired)
    program = compile_paper_kernel(find_toolchain("sm_90"), find_kernel(), tmp_path, run)
    assert program.stat().st_size > 0
