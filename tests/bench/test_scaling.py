"""`ratemlx bench --scaling`: what is computed of run times, the figure, real ranks, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ratemlx.bench.scaling import measure
from ratemlx.bench.scaling.figure import draw_scaling
from ratemlx.bench.scaling.measure import Work, default_ranks, measure_scaling, parse_ranks, table
from ratemlx.cli import main
from ratemlx.errors import ClusterError, SweepError
from ratemlx.simulate import generated_folder


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Of a machine of two cores, on which a run takes 1 s and 10 ms for each instance of a core."""

    def run(_mpirun: Path, ranks: int, work: str) -> Mapping[str, Any]:
        instances = json.loads(work)["instances"]
        seconds = 1 + instances / min(ranks, 2) / 100
        return {"ranks": ranks, "instances": instances, "regions": 68, "seconds": seconds, "wall": seconds + 2}

    monkeypatch.setattr(measure, "_run", run)
    monkeypatch.setattr(measure, "available_threads", lambda: 2)
    return measure_scaling(Work(generated_folder("montbrio"), instances=100, steps=500), (1, 2, 4), 2)


def test_efficiency_is_the_part_of_the_ideal(found: Mapping[str, Any]) -> None:
    strong, weak = found["strong"], found["weak"]
    assert [item["instances"] for item in strong] == [100, 100, 100]
    assert [item["instances"] for item in weak] == [100, 200, 400]
    assert [item["seconds"] for item in strong] == [2.0, 1.5, 1.5]
    assert [item["efficiency"] for item in strong] == pytest.approx([1, 2 / 1.5 / 2, 2 / 1.5 / 4])
    assert [item["seconds"] for item in weak] == [2.0, 2.0, 3.0]
    assert [item["efficiency"] for item in weak] == pytest.approx([1, 1, 2 / 3])
    assert weak[2]["rate"] == pytest.approx(400 * 68 * 500 / 3)
    assert [item["wall"] - item["seconds"] for item in strong + weak] == [2.0] * 6
    assert found["model"] == "montbrio"
    headers, rows = table(found)
    assert headers[0] == "scaling"
    assert rows[2] == ("strong", "4 (more than cores)", "100", "1.50", "3.50", "2.27e+06", "1.33", "33%")


def test_the_figure_tells_all(found: Mapping[str, Any], tmp_path: Path) -> None:
    draw_scaling(found, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
    draw_scaling(found, tmp_path / "scaling.svg")
    text = (tmp_path / "scaling.svg").read_text(encoding="utf-8")
    for said in (
        "strong scaling: 100 instances in all",
        "weak scaling: 100 instances for each rank",
        *("ideal", "more ranks than cores", "67%", "33%", "montbrio on tvb:68, 500 steps, on 2 cores"),
    ):
        assert f">{said}<" in text


def test_ranks_are_shared_out_really(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ("--instances", "16", "--steps", "300", "--repeat", "1", "--ranks", "2,1")
    files = ("-o", str(tmp_path / "scaling.json"), "--figure", str(tmp_path / "scaling.png"))
    assert main(["bench", "montbrio", "--scaling", *size, *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("montbrio on tvb:68, 300 steps, one thread a rank, ")
    assert [line.split()[:2] for line in lines[2:6]] == [["strong", "1"], ["strong", "2"], ["weak", "1"], ["weak", "2"]]
    found = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))
    assert [item["instances"] for item in found["weak"]] == [16, 32]
    for item in (*found["strong"], *found["weak"]):
        assert 0 < item["seconds"] < item["wall"]
    assert (tmp_path / "scaling.png").exists()


def test_a_run_that_fails_is_told() -> None:
    work = Work(generated_folder("montbrio"), connectome="tvb:67")
    with pytest.raises(ClusterError, match="mpirun -n 1` failed: tvb-data has no connectome of '67' regions"):
        measure_scaling(work, (1,), 1)


def test_without_mpirun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(measure, "make_work", lambda *_: Work(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["bench", "montbrio", "--scaling"]) == 2
    assert capsys.readouterr().err == (
        "error: there is no mpirun to start ranks with\n  hint: pip install mpi4py mpich\n"
    )


def test_within_a_launch_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mpirun").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, value in (("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ClusterError, match="this is one of 2 tasks of mpirun"):
        measure_scaling(Work(tmp_path), (1,))


def test_numbers_of_ranks() -> None:
    assert [default_ranks(cores) for cores in (1, 2, 6, 16)] == [(1,), (1, 2), (1, 2, 4, 6), (1, 2, 4, 8, 16)]
    assert parse_ranks("4, 1,2,4") == (1, 2, 4)
    for text, said in (("two", "numbers of ranks are wanted; this is 'two'"), ("0,1", "at least one rank is needed")):
        with pytest.raises(SweepError, match=said):
            parse_ranks(text)
