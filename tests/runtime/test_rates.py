"""Estimates of time: a guess with its range before anything has run, what was measured after that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ratemlx.runtime import Connectome, RunSpec, plan_run, rates, run, simulation
from ratemlx.runtime.devices.cpu import CpuDevice
from ratemlx.runtime.outputs import make_outputs
from ratemlx.runtime.spec import Job, prepare


@pytest.fixture
def spec(linear: Path, small: Connectome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunSpec:
    monkeypatch.setattr(rates, "cache_folder", lambda _: tmp_path)
    return RunSpec(folder=linear, connectome=small, sweep={"drive": (0.1, 0.4, 40)}, duration=400.0, dt=0.5)


def guess(job: Job) -> float:
    return rates.expected_rate(job, CpuDevice(1), 16)


def test_what_takes_time_is_counted(spec: RunSpec) -> None:
    job = prepare(spec)
    manifest = job.manifest
    seconds = 1 / guess(job)
    gathered = manifest.channels * len(job.edges) / 5
    assert gathered > 1
    assert seconds * 16 * 4e9 == pytest.approx(manifest.operations_per_step + 40 + 16 * gathered)
    heavier = replace(job, manifest=replace(manifest, operations_per_step=manifest.operations_per_step + 800))
    assert 1 / guess(heavier) - seconds == pytest.approx(800 / 16 / 4e9)
    uncoupled = replace(job, manifest=replace(manifest, channels=0))
    assert seconds - 1 / guess(uncoupled) == pytest.approx(16 * gathered / 16 / 4e9)


def test_metrics_of_rates_are_counted_where_there_are_rates(spec: RunSpec) -> None:
    plain, some = prepare(spec), replace(spec, outputs=make_outputs(metrics="mean_up_ms,mean_FC"))
    job = prepare(some)
    steps = job.timing.n_steps / job.timing.n_samples
    of_any = 1 / guess(job) - 1 / guess(plain)
    assert of_any == pytest.approx(2 * 3.5e-9 / steps)
    exposures = tuple(replace(item, unit="kHz") for item in job.manifest.exposures)
    of_rates = 1 / guess(replace(job, manifest=replace(job.manifest, exposures=exposures))) - 1 / guess(plain)
    assert of_rates == pytest.approx(2 * (3.5e-9 + 4e-8) / steps)


def test_a_guess_is_called_one_until_something_has_run(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "OPERATIONS_PER_LANE", 1e3)

    def told() -> str:
        return next(line for line in plan_run(spec) if "estimated time" in line)

    assert " to " in told()
    assert told().endswith(", a guess until something like it has run here, without compiling")
    run(spec)
    assert "a guess" in told(), "a device that worked for a moment tells nothing of what it can"
    monkeypatch.setattr(simulation, "TELLING_SECONDS", 0.0)
    run(replace(spec, threads=1))
    assert "a guess" not in next(line for line in plan_run(replace(spec, threads=1)) if "estimated time" in line)
