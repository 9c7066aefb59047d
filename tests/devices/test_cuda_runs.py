"""Whole runs on the fake GPU, from the command line to the database, against the emulation; and stopped runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from ratemlx.cli import main
from ratemlx.runtime import analysis, run
from ratemlx.runtime.batch import RunningBatch
from ratemlx.runtime.devices import cuda_open
from ratemlx.runtime.devices.cuda import CudaDevice
from ratemlx.runtime.outputs import Outputs
from ratemlx.runtime.workers import Workers
from tests.support.fake_cuda import fake_device
from tests.support.shipped import series_of, shipped

Rows: TypeAlias = list[tuple[Any, ...]]
TABLES = ("instances", "regional", "arrays", "metrics", "parameters")


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[CudaDevice]:
    """The fake GPUs that runs open."""
    opened: list[CudaDevice] = []

    def open_cuda(binding: str | None, number: int, arch: str | None) -> CudaDevice:  # noqa: ARG001
        opened.append(fake_device(number))
        return opened[-1]

    monkeypatch.setattr(cuda_open, "open_cuda", open_cuda)
    return opened


def tables(folder: Path) -> dict[str, Rows]:
    """All rows of a run's database."""
    with sqlite3.connect(folder / "results.sqlite") as database:
        return {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for name in TABLES}


def test_a_run_of_the_command_line(devices: list[CudaDevice], tmp_path: Path) -> None:
    command = ["run", "montbrio", "--sweep", "eta=-6,-5,-4.6", "--sweep", "conduction_speed=3,5", "--duration", "4500"]
    command += ["--dt", "0.5", "--period", "2", "--metrics", "table2", "--bold", "200"]
    command += ["--batch-size", "2", "--keep", "all"]
    for name in ("cuda", "cuda-emulation"):
        assert main([*command, "--target", name, "-o", str(tmp_path / name)]) == 0
    assert len(devices) == 1
    found, expected = tables(tmp_path / "cuda"), tables(tmp_path / "cuda-emulation")
    assert len(expected["instances"]) == 6
    assert found == expected


@pytest.mark.parametrize("when", [1, 3])
def test_a_run_that_is_interrupted_leaves_the_gpu_at_rest(
    when: int, devices: list[CudaDevice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the chunks of a batch; the next run computes what is missing, to the same numbers."""
    spec = shipped("montbrio", "cuda-emulation", duration=40.0, sweep={"eta": np.linspace(-6, -4, 5)}, batch_size=2)
    on_gpu = replace(spec, device="cuda", output=tmp_path / "run", figure=False)
    collect: Callable[..., None] = RunningBatch.collect
    calls: list[int] = []

    def interrupted(batch: RunningBatch, chunk: Any) -> None:
        calls.append(1)
        if len(calls) == when:
            raise KeyboardInterrupt
        collect(batch, chunk)

    monkeypatch.setattr(RunningBatch, "collect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(on_gpu)
    (device,) = devices
    assert all(not lane.leaving for lane in device._lanes._all)
    monkeypatch.setattr(RunningBatch, "collect", collect)
    np.testing.assert_array_equal(series_of(run(on_gpu)), series_of(run(spec)))


def test_metrics_take_the_cores_of_the_host_and_not_of_the_gpu(
    devices: list[CudaDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    plain = analysis.metrics.evaluate

    def evaluate(*arguments: Any, each: Workers) -> Any:
        taken.append(each.threads)
        return plain(*arguments, each=each)

    monkeypatch.setattr(analysis.metrics, "evaluate", evaluate)
    outputs = Outputs(metrics=("mean_FC",))
    run(replace(shipped("montbrio", "cuda-emulation", duration=20.0, outputs=outputs, threads=3), device="cuda"))
    assert (taken, devices[0].workers) == ([3], 4)
