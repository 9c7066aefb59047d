"""`ratemlx run`: options reach the run, results are written, and mistakes are told."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.cli import main
from ratemlx.cli.run import run
from ratemlx.runtime import RunSpec
from ratemlx.simulate import simulate

SHORT = ["--duration", "10", "--connectome", "tvb:66"]


def test_a_sweep_prints_a_row_per_instance_and_writes_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ["--sweep", "eta=-6:-4:3", "--sweep", "J=14,15"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("not of this run")
    assert main(["run", "montbrio", *sweep, *SHORT, "--observe", "r", "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    head, *rows, means, results = printed.out.splitlines()
    assert head.split() == ["instance", "eta", "J", "mean", "r", "status"]
    assert means == "means are over the second half of the run and over regions"
    assert [row.split()[:3] for row in rows] == [
        [str(index), eta, current]
        for index, (eta, current) in enumerate((e, j) for e in ("-6", "-5", "-4") for j in ("14", "15"))
    ]
    names = ("parameters.csv", "run.json", "results.sqlite", "time_series.nc", "traces.png")
    assert results == "results: " + ", ".join(str(tmp_path / "out" / name) for name in names)
    assert printed.err.startswith("montbrio on tvb:66 (66 regions, ")
    assert ratemlx.open_result(tmp_path / "out").time_series.shape == (6, 1, 10, 66)


def test_it_computes_what_simulate_computes(tmp_path: Path) -> None:
    arguments = ["--sweep", "eta=-6,-5", "--set", "J=14", "--speed", "4", "--seed", "7", "--precision", "float64"]
    arguments += ["--integrator", "heun", "--normalization", "max", "--initial", "V=-1.5", "--dt", "0.05", *SHORT]
    assert main(["run", "montbrio", *arguments, "--period", "2", "--no-figure", "-o", str(tmp_path)]) == 0
    direct = simulate(
        "montbrio",
        sweep={"eta": [-6.0, -5.0]},
        params={"J": 14.0},
        conduction_speed=4.0,
        seed=7,
        precision="float64",
        integrator="heun",
        normalization="max",
        initial={"V": -1.5},
        dt=0.05,
        period=2.0,
        duration=10.0,
        connectome="tvb:66",
    )
    assert np.array_equal(ratemlx.open_result(tmp_path).time_series.values, direct.time_series.values)
    assert not (tmp_path / "traces.png").exists()


def test_constants_that_shape_the_arithmetic_can_be_set(tmp_path: Path) -> None:
    arguments = ["run", "montbrio", *SHORT, "--no-noise", "--no-figure", "--precision", "float64"]
    assert main([*arguments, "--set", "Gamma=1e-300", "-o", str(tmp_path / "kept")]) == 0
    assert main([*arguments, "-o", str(tmp_path / "plain")]) == 0
    assert main([*arguments, "--set", "tau=2", "-o", str(tmp_path / "slow")]) == 0
    kept, plain, slow = (ratemlx.open_result(tmp_path / name).time_series.values for name in ("kept", "plain", "slow"))
    np.testing.assert_allclose(kept, plain, rtol=1e-12)
    assert abs(slow - plain).max() > 1e-3


def test_diverged_instances_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "montbrio", *SHORT, "--sweep", "eta=-5,1e30"]) == 0
    assert "warning: 1 of 2 instances diverged: 1; a smaller dt may help\n" in capsys.readouterr().err


def test_defaults_are_those_of_a_run() -> None:
    signature = inspect.signature(run).parameters
    spec = RunSpec(folder=Path())
    shared = (
        "connectome normalization duration dt period integrator precision seed noise common_noise observe threads "
        "batch_size output restart"
    )
    assert {name: signature[name].default for name in shared.split()} == {
        name: getattr(spec, name) for name in shared.split()
    }


def test_plan_only_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ["-o", str(tmp_path / "out")]
    assert main(["run", "montbrio", "--sweep", "eta=-6:-4:1000", *SHORT, *output, "--plan-only"]) == 0
    assert "1,000 instances: eta (1000)" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_points_from_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "points.csv").write_text("eta,J\n-5,15\n-4,14\n-6,13\n", encoding="utf-8")
    assert main(["run", "montbrio", "--points", str(tmp_path / "points.csv"), *SHORT]) == 0
    rows = capsys.readouterr().out.splitlines()[1:4]
    assert [row.split()[1:3] for row in rows] == [["-5", "15"], ["-4", "14"], ["-6", "13"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sweep", "eta"], "cannot read the sweep 'eta'"),
        (["--sweep", "etta=1,2"], "montbrio has no parameter 'etta'"),
        (["--integrator", "eulr"], "unknown integrator 'eulr'"),
        (["--connectome", "tvb:67"], "tvb-data has no connectome of '67' regions"),
        (["--observe", "q"], "montbrio has no exposure 'q'"),
        (["-o", ""], "the folder for results has no name"),
        (["--target", "abacus"], "there is no device 'abacus'"),
    ],
)
def test_mistakes_are_exit_code_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "montbrio", *SHORT, *arguments]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed
