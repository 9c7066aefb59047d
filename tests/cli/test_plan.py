from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from ratemlx.cli import main
from ratemlx.cli.app import build_app
from ratemlx.cluster.prediction import EFFICIENCY

PAPER = ("--speed", "3", "--duration", "5000", "--observe", "E,I")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["plan", "adex", *arguments]) == 0
    return capsys.readouterr().out


def test_for_this_machine_it_is_what_run_plans(capsys: pytest.CaptureFixture[str]) -> None:
    sweep = ("--sweep", "b_e=0:100:30", "--speed", "4", "--duration", "100")
    here = told(capsys, *sweep)
    assert main(["run", "adex", *sweep, "--plan-only"]) == 0
    assert here == capsys.readouterr().out
    assert "30 instances: b_e (30)" in here


def test_for_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "--instances", "16384", *PAPER, "--gpu", "A100-40")
    assert "19.5 TFLOP/s float32" in text
    assert "estimated, not measured, at 40% of the lower" in text
    fitting = re.search(r"instances that fit: ([\d,]+)", text)
    assert fitting is not None
    assert int(fitting[1].replace(",", "")) >= 120_000
    assert "16,384 instances on a GPU: 1 batch of up to 16,384" in text


def test_for_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "--instances", "61341696", *PAPER, "--metrics", "table2", "--cluster", "juwels-booster")
    assert "936 nodes x 4 GPUs, 3,744 ranks" in text
    assert "16,384 of 61,341,696 instances on a GPU" in text
    assert "3,744 shards, one per batch" in text
    assert re.search(r"database \d+\.\d GiB: 61,341,696 instances of [\d,]+ bytes \(10 parameters, \d+ metrics", text)
    assert "time series" not in text


def test_a_part_of_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "--sweep", "b_e=0:100:100", *PAPER, "--cluster", "juwels-booster", "--nodes", "2")
    assert "2 nodes x 4 GPUs, 8 ranks" in text
    assert "13 of 100 instances on a GPU" in text
    assert "time series 259.4 MiB; with --metrics none are kept" in text


def test_efficiency_scales_time(capsys: pytest.CaptureFixture[str]) -> None:
    def rate(share: str) -> float:
        text = told(capsys, "--instances", "16384", *PAPER, "--gpu", "H200", "--efficiency", share)
        found = re.search(r"of the lower, ([\d.e+]+) node-steps/s", text)
        assert found is not None
        return float(found[1])

    assert rate("0.5") == pytest.approx(5 * rate("0.1"), rel=0.05)


def test_the_assumed_efficiency_is_that_of_predictions() -> None:
    command = get_command(build_app()).commands["plan"]  # type: ignore[attr-defined]
    assert next(item.default for item in command.params if item.name == "efficiency") == EFFICIENCY


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--gpu", "H2000"), "no GPU 'H2000'"),
        (("--cluster", "juwel"), "no cluster 'juwel'"),
        (("--gpu", "H200", "--cluster", "juwels-booster"), "exclude each other"),
        (("--instances", "3"), "--instances needs --gpu or --cluster"),
        (("--instances", "3", "--sweep", "b_e=1,2", "--gpu", "L4"), "a sweep has its own number"),
        (("--nodes", "3", "--gpu", "L4"), "--nodes needs --cluster"),
        (("--cluster", "juwels-booster", "--nodes", "937"), "has 936 nodes"),
        (("--gpu", "L4", "--sweep", "b_x=1,2"), "b_x"),
        (("--gpu", "L4", "--instances", "3", "--metrics", "mean_FX"), "there is no metric 'mean_FX'"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "adex", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_table_of_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "points.csv").write_text("b_e,conduction_speed\n1,2\n2,3\n3,4\n", encoding="utf-8")
    text = told(capsys, "--points", str(tmp_path / "points.csv"), "--gpu", "RTX 4090", "--observe", "E")
    assert "3 instances on a GPU: 3 batches of up to 1" in text
    assert "instances that fit at 2 mm/ms" in text
    assert "instances that fit at 4 mm/ms" in text
