"""The GPU benchmark, on the device that plays a GPU: what it measures and how it says so. No figure is checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratemlx.bench.gpu import analysis, variants
from ratemlx.bench.gpu.__main__ import main
from ratemlx.bench.gpu.benchmark import Settings, goals, table
from ratemlx.bench.gpu.measure import _steps_within
from ratemlx.bench.gpu.peers import measure_cubnm
from ratemlx.bench.gpu.roofline import cost_of, issue_bound, kernel_roofline
from ratemlx.bench.gpu.variants import DEFAULT, Variant, batch_of, definitions_of, time_variant, variants_to_try
from ratemlx.bench.gpu.works import WORKS, Work, job_of
from ratemlx.bench.sass import Counts, FunctionCounts
from ratemlx.cluster.hardware import find_gpu
from ratemlx.errors import MetricError, RatemlxError
from ratemlx.runtime.batch import Chunk
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.outputs import Outputs
from ratemlx.runtime.spec import Job
from tests.support.rateml_kernel import SHIM

SMALL = Work("small", "Montbrio", "montbrio", 40, steps=100)


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    found = open_device("cuda-emulation", 1)
    yield found
    found.close()


@pytest.fixture(scope="module")
def job() -> Job:
    return job_of(SMALL, 100)


def test_the_works_are_those_that_goals_are_set_for() -> None:
    sizes = {work.key: (work.model, work.instances, work.steps, work.precision, work.regions) for work in WORKS}
    assert sizes == {
        "adex": ("adex", 16_384, 50_000, "float32", None),
        "adex_64": ("adex", 64, 50_000, "float32", None),
        "montbrio": ("montbrio", 16_384, 50_000, "float32", None),
        "wong_wang": ("wong_wang_exc_inh", 32_768, 50_000, "float64", 100),
    }


def test_the_job_of_a_work(job: Job) -> None:
    assert job.spec.noise
    assert job.timing.steps_per_sample == 10
    assert job.parameters.speeds.tolist() == [3.0] * 40
    assert len(job.observed) == 2
    dense = job_of(WORKS[3].shrunk(2, 10), 10)
    assert (dense.connectome.n_regions, len(dense.edges)) == (100, 100 * 99)


def test_variants_begin_with_the_default_and_say_what_is_exact() -> None:
    single, double = list(variants_to_try("float32", 16)), list(variants_to_try("float64", 16))
    assert single[0] == double[0] == DEFAULT
    assert {item.block for item in single} == {None, 4, 8}
    assert {str(item) for item in single if not item.exact} == {
        "fast_math True",
        "history float16",
        "history bfloat16",
    }
    assert all(item.exact for item in double)
    assert str(DEFAULT) == "default"
    assert [item.form for item in single if item.form] == ["tile"]
    assert [item.form for item in variants_to_try("float64", 1) if item.form] == ["block"]


@pytest.mark.parametrize(
    "variant", [DEFAULT, Variant(lanes=64), Variant(block=4), Variant(form="tile")], ids=lambda item: str(item)
)
def test_a_variant_runs_all_instances(variant: Variant, job: Job, device: Device) -> None:
    batch = batch_of(job, variant, device)
    assert batch.group.block == (variant.block or 16)
    assert batch.group.ring_rows % batch.group.block == 0
    assert len(batch.group.ahead.edges) + len(batch.group.own.edges) == len(job.edges)
    timing = time_variant(job, variant, device)
    assert timing.seconds > 0
    assert timing.diverged == 0
    assert timing.planned_bytes >= batch.group.ring_rows * 68 * 4 * 40


def test_definitions_of_a_variant(job: Job) -> None:
    chosen = definitions_of(job, Variant(lanes=64, form="tile", warps=12), 8)
    expected = {"RATEMLX_LANES": "64", "RATEMLX_BLOCK": "8", "RATEMLX_FORM": "1", "RATEMLX_WARPS": "12"}
    assert expected.items() <= chosen.items()
    assert "RATEMLX_WARPS" not in definitions_of(job, DEFAULT, 8)
    # As runs do where blocks are short.
    assert [definitions_of(job, DEFAULT, block).get("RATEMLX_FORM") for block in (4, 2, 1)] == [None, "1", "1"]


def test_steps_shrink_with_the_time() -> None:
    assert _steps_within(WORKS[0], 1e4, 2.0) == 20_000
    assert _steps_within(WORKS[0], 1e6, 2.0) == 50_000
    assert _steps_within(WORKS[0], 1.0, 2.0) == 200


def test_roofline_of_a_kernel(job: Job, device: Device) -> None:
    """A step of 10 multiply-adds and 4 loads, an edge of 16 multiply-adds for a block of 16 steps."""
    step, edge = Counts({"FFMA": 10, "LDG": 4}), Counts({"FFMA": 16, "LDG": 16})
    counts = FunctionCounts(Counts({}), step, edge)
    group, gpu, edges = batch_of(job, DEFAULT, device).group, find_gpu("H200"), 1244 / 68
    line = kernel_roofline(counts, job, group, gpu)
    assert line.operations == pytest.approx(20 + 2 * edges)
    assert line.by_arithmetic == pytest.approx(132 * 128 * 2 * 1.98e9 / (20 + 2 * edges))
    assert line.by_memory == pytest.approx(4.8e12 / line.bytes)
    assert issue_bound(counts, job, group, gpu) == pytest.approx(132 * 128 * 1.98e9 / (14 + 2 * edges))


def test_goals_compare_what_was_measured() -> None:
    found = {
        "works": [
            {"key": "adex", "node_steps_per_second": 2e10, "roofline": {"share": 0.3}},
            {"key": "adex_64", "node_steps_per_second": 4e9, "roofline": None},
            {"key": "montbrio", "note": "no memory"},
        ],
        "memory": {"instances_per_40_gb": 150_000},
        "analysis": {"table2": {"analysis_over_simulation": 0.5}},
        "paper_kernel": {"repaired": {"node_steps_per_second": 5e8}, "as_shipped": {"note": "none"}},
    }
    said = {name: (item["reached"], item["met"]) for name, item in goals(found).items()}
    assert said == {
        "adex: node-steps/s": (2e10, True),
        "adex, 64 instances: share of the full rate": (0.2, True),
        "adex: instances per 40 GB": (150_000, True),
        "adex: share of the roofline": (0.3, False),
        "adex over the paper's kernel, repaired": (40.0, True),
        "adex over the paper's kernel, as shipped": (None, None),
        "montbrio: node-steps/s": (None, None),
        "adex: simulation over analysis by table2": (2.0, True),
        "wong_wang over cubnm": (None, None),
    }


def test_a_dry_run_writes_a_file_that_claims_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ratemlx.bench.gpu.benchmark.WORKS", (SMALL, WORKS[3]))
    sizes = ["--seconds", "1", "--instances", "8", "--steps", "20"]
    places = ["--host-headers", str(SHIM), "--output", str(tmp_path / "gpu.json")]
    assert main(["--device", "cuda-emulation", "--parts", "works,paper", *sizes, *places]) == 0
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["measured"] is False
    assert found["goals"] == {}
    assert "no figure of a GPU" in capsys.readouterr().out
    work = found["works"][0]
    assert (work["instances"], work["regions"], work["steps"]) == (8, 68, 20)
    steps = work["instances"] * work["regions"] * work["steps"]
    assert work["node_steps_per_second"] == pytest.approx(steps / min(work["seconds"]))
    assert work["variants"][0]["node_steps_per_second"] > 0
    for kind in ("as_shipped", "repaired"):
        assert found["paper_kernel"][kind]["instances"] == 8
        assert found["paper_kernel"][kind]["node_steps_per_second"] > 0


def test_rows_of_the_table_say_why_something_is_missing() -> None:
    _, rows = table({"works": [{"title": "AdEx", "note": "no memory"}], "cubnm": {"note": "cubnm is not there"}})
    assert rows == [
        ("AdEx", "", "", "", "", "", "no memory"),
        ("cuBNM, Wong-Wang", "", "", "", "", "", "cubnm is not there"),
    ]


def test_time_is_shared_among_the_parts_that_are_measured() -> None:
    settings = Settings(parts=("works", "paper"), seconds=100.0)
    assert settings.share("works") + settings.share("paper") == pytest.approx(100.0)
    assert sum(Settings().share(part) for part in Settings().parts) == pytest.approx(300.0)
    assert [work.instances for work in Settings(instances=100).works()] == [100, 64, 100, 100]


def test_without_the_device_it_is_said_in_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--device", "cuda-none"]) == 2
    assert "there is no device 'cuda-none'" in capsys.readouterr().err
    with pytest.raises(RatemlxError):
        open_device("cuda-none")


def test_samples_reach_the_host(job: Job, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them: the benchmark's batch waits for every download of the run's ten samples."""
    counted: list[int] = []
    arrived = {}
    plain = variants._ToHost.collect

    def collect(self: variants._ToHost, chunk: Chunk) -> None:
        counted.append(chunk.count)
        arrived[chunk.first] = np.array(chunk.arriving.result()[:, : chunk.count])
        plain(self, chunk)

    monkeypatch.setattr(variants._ToHost, "collect", collect)
    time_variant(job, DEFAULT, device)
    assert sum(counted) == job.timing.n_samples == 10
    assert all(np.isfinite(values).all() and np.ptp(values) > 0 for values in arrived.values())


def test_cost_of_a_work_on_a_gpu_that_is_not_here() -> None:
    """What machine code of second-order AdEx executes: near the generator's own count, and nowhere near memory."""
    cost = cost_of(WORKS[0], find_gpu("H200"))
    assert 599 <= cost.line.operations <= 1000
    assert 4 * 1244 / 68 < cost.line.bytes < 95
    assert cost.line.attainable == min(cost.line.by_arithmetic, cost.line.by_memory)
    assert 1e10 < cost.by_issue < cost.line.by_arithmetic


def test_measuring_cubnm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe tells how much simulated time fits; what goes wrong in it is a note."""
    asked: list[tuple[int, float, bool]] = []

    def rate(_: object, *, instances: int, seconds: float, on_gpu: bool) -> float:
        asked.append((instances, seconds, on_gpu))
        return 1e9

    monkeypatch.setattr("ratemlx.bench.peers.cubnm_rate", rate)
    found = measure_cubnm(WORKS[3], seconds=20.0)
    # 32,768 instances x 100 regions x 10,000 steps of a second take 33 s at that rate.
    assert asked == [(32_768, 2.0, True)]
    assert found["node_steps_per_second"] == 1e9
    assert measure_cubnm(WORKS[3].shrunk(64, 10), seconds=1.0)["simulated_seconds"] == 15.0

    def broken(*_: object, **__: object) -> float:
        raise ValueError("no kernel image")

    monkeypatch.setattr("ratemlx.bench.peers.cubnm_rate", broken)
    assert "no kernel image" in str(measure_cubnm(WORKS[3], seconds=1.0)["note"])


def test_analysis_is_timed_beside_simulation(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = {"series": Outputs(metrics=("mean_PLI",), keep="none"), "streamed": analysis.CHOICES["streamed_fc"]}
    monkeypatch.setattr(analysis, "CHOICES", choices)
    found: Any = analysis.measure_analysis(WORKS[2].shrunk(3, 500), device, "cuda-emulation")
    assert (found["instances"], found["steps"]) == (3, 500)
    for name in choices:
        assert found[name]["metrics_computed_on"] == "host"
        assert found[name]["simulation_seconds"] > 0
        assert found[name]["analysis_seconds"] > 0
    monkeypatch.setattr(analysis, "CHOICES", {"table2": Outputs(metrics=("table2",), keep="none")})
    with pytest.raises(MetricError):
        analysis.measure_analysis(WORKS[2].shrunk(1, 500), device, "cuda-emulation")
