"""What a run leaves behind: labels, files, a figure; and going on after being killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ratemlx
from ratemlx.errors import ResultError
from ratemlx.runtime import Connectome, Result, RunSpec, run
from ratemlx.runtime.figure import draw_traces, figure_title, plan_layout
from ratemlx.runtime.progress import LineProgress
from ratemlx.runtime.report import diverged_remark, result_table

DRIVER = "from pathlib import Path; from ratemlx.runtime.driver import main; import sys; "
DRIVER += "sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))"
SWEEP = {"drive": [0.1, 0.4, 0.2], "conduction_speed": [6.0, 1.5]}


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    return RunSpec(folder=linear, connectome=small, sweep=SWEEP, duration=30.0, dt=0.25, batch_size=2)


@pytest.fixture(scope="module")
def result(spec: RunSpec) -> Result:
    return run(spec)


def test_labels(result: Result) -> None:
    series = result.time_series
    assert (series.dims, series.shape) == (("instance", "exposure", "time", "region"), (6, 2, 30, 5))
    assert series.region.values.tolist() == list("abcde")
    np.testing.assert_array_equal(series.time.values, np.arange(30) + 0.5)
    assert series.time.attrs["units"] == "ms"
    np.testing.assert_array_equal(series.drive.values, [0.1, 0.1, 0.4, 0.4, 0.2, 0.2])
    np.testing.assert_array_equal(series.conduction_speed.values, [6, 1.5] * 3)
    assert series.conduction_speed.attrs["units"] == "mm/ms"
    assert sorted(result.parameters.data_vars) == ["conduction_speed", "coupling", "drive", "sigma"]
    np.testing.assert_array_equal(result.parameters["sigma"], [0.01] * 6)
    assert series.where(series.drive == 0.4, drop=True).sizes["instance"] == 2


def test_a_result_is_printed_in_a_line(result: Result) -> None:
    said = "6 instances (drive, conduction_speed), exposures x, y, 30 samples, 5 regions, 0 diverged"
    assert repr(result) == f"<Result of linear: {said}>"


def test_a_folder_holds_the_same(spec: RunSpec, result: Result, tmp_path: Path) -> None:
    written = run(replace(spec, output=tmp_path / "out", figure=True))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["parameters.csv", "results.sqlite", "run.json", "shards", "time_series.nc", "traces.png"]
    xr.testing.assert_identical(written.time_series.drop_attrs(deep=False), result.time_series.drop_attrs(deep=False))
    again = ratemlx.open_result(tmp_path / "out")
    xr.testing.assert_identical(again.parameters, result.parameters)
    xr.testing.assert_identical(again.status, result.status)
    with (tmp_path / "out" / "parameters.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    values = {"coupling": "0.05", "drive": "0.4", "sigma": "0.01", "conduction_speed": "1.5"}
    assert rows[3] == {"instance": "3", **values, "status": "ok", "diverged_at": "-1"}
    provenance = json.loads((tmp_path / "out" / "run.json").read_text())
    told = (provenance["complete"], provenance["seed"], provenance["dt"], provenance["diverged"])
    assert told == (True, 42, 0.25, 0)


def test_the_file_of_series_has_the_labels_of_the_result(spec: RunSpec, result: Result, tmp_path: Path) -> None:
    run(replace(spec, output=tmp_path))
    with xr.open_dataset(tmp_path / "time_series.nc") as plain:
        xr.testing.assert_identical(plain.time_series, result.time_series.rename("time_series"))
        chosen = plain.time_series.sel(exposure="y", region="c", time=3.5, instance=4)
        assert float(chosen) == float(result.time_series[4, 1, 3, 2])
        assert float(chosen.drive) == 0.2
        np.testing.assert_array_equal(plain.status, result.status)
        assert sorted(plain.data_vars) == ["coupling", "diverged_at", "sigma", "status", "time_series"]


def test_diverged_instances_are_told(spec: RunSpec, tmp_path: Path) -> None:
    found = run(replace(spec, sweep={"coupling": [0.05, 1e30]}, output=tmp_path))
    step = int(found.status.diverged_at[1])
    with xr.open_dataset(tmp_path / "time_series.nc") as plain:
        assert plain.status.values.tolist() == ["ok", "diverged"]
        assert plain.diverged_at.values.tolist() == [-1, step]
    rows = list(csv.DictReader((tmp_path / "parameters.csv").read_text().splitlines()))
    assert [(row["status"], row["diverged_at"]) for row in rows] == [("ok", "-1"), ("diverged", str(step))]
    assert json.loads((tmp_path / "run.json").read_text())["diverged"] == 1
    assert diverged_remark(found) == ("1 of 2 instances diverged: 1; a smaller dt may help",)


def test_results_in_memory_can_be_saved(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "saved")
    xr.testing.assert_equal(ratemlx.open_result(tmp_path / "saved").time_series, result.time_series)


def test_another_run_is_not_overwritten(spec: RunSpec, tmp_path: Path) -> None:
    first = replace(spec, output=tmp_path)
    run(first)
    with pytest.raises(ResultError) as caught:
        run(replace(first, seed=7, dt=0.5))
    assert caught.value.message == (
        f"{tmp_path} holds another run; what differs: dt (0.25 there, 0.5 now), seed (42 there, 7 now), initial"
    )
    assert run(replace(first, seed=7, restart=True)).provenance["seed"] == 7
    assert run(replace(first, seed=7, threads=1, batch_size=1)).provenance["seed"] == 7


def test_a_finished_run_is_not_run_again(spec: RunSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = replace(spec, output=tmp_path)
    run(done)
    run(done, LineProgress())
    assert capsys.readouterr().err == f"{tmp_path} holds this run already, complete\n"


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for content, message in (
        (None, f"there are no results in {tmp_path}"),
        ("{", f"{tmp_path / 'run.json'}:1:1: the file is cut short: it ends here"),
        ("[]", f"{tmp_path / 'run.json'} is not what ratemlx writes"),
        ("{}", f"the run in {tmp_path} is not finished"),
    ):
        if content is not None:
            (tmp_path / "run.json").write_text(content)
        with pytest.raises(ResultError) as caught:
            ratemlx.open_result(tmp_path)
        assert caught.value.message.startswith(message)
    (tmp_path / "run.json").write_text('{"complete": true}')
    with pytest.raises(ResultError, match=r"run.json does not say what a run writes there: stamp, catalogue, sweeps"):
        ratemlx.open_result(tmp_path)


def test_damaged_series_are_told(spec: RunSpec, tmp_path: Path) -> None:
    run(replace(spec, output=tmp_path))
    (tmp_path / "time_series.nc").write_text("no")
    with pytest.raises(ResultError, match=r"time_series.nc is damaged"):
        ratemlx.open_result(tmp_path)
    (tmp_path / "time_series.nc").unlink()
    with pytest.raises(ResultError, match="were not kept"):
        _ = ratemlx.open_result(tmp_path).time_series
    with pytest.raises(ResultError, match=r"series of 6 finished instances were in .*time_series.nc, which is gone"):
        run(replace(spec, output=tmp_path))


def wait_for_batches(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Until a run has finished some batches; fails when it ends before."""
    deadline = time.monotonic() + 30
    while len(list(folder.glob("shards/*.npz"))) < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_killed_run_goes_on(linear: Path, tmp_path: Path) -> None:
    """SIGKILL after the first batches; the same command finishes with the numbers of an undisturbed run."""
    command = [sys.executable, "-c", DRIVER, str(linear), "--sweep", "drive=0:1:16", "-n", "30", "--batch-size", "2"]
    command += ["--threads", "1", "-v"]
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*command, "-o", str(out)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, text=True
    )
    wait_for_batches(out, 2, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("shards/*.npz")}
    assert 2 <= len(kept) < 8
    with pytest.raises(ResultError, match="is not finished"):
        ratemlx.open_result(out)
    told = subprocess.run([*command, "-o", str(out)], capture_output=True, text=True, check=True).stderr
    assert f"16 instances: drive (16); {2 * len(kept)} finished before, {16 - 2 * len(kept)} to run" in told
    subprocess.run([*command, "-o", str(tmp_path / "whole")], capture_output=True, check=True)
    whole, mended = ratemlx.open_result(tmp_path / "whole"), ratemlx.open_result(out)
    assert whole.time_series.values.tobytes() == mended.time_series.values.tobytes()
    left = ["parameters.csv", "results.sqlite", "run.json", "shards", "time_series.nc", "traces.png"]
    assert sorted(path.name for path in out.iterdir()) == left


def test_an_interrupted_run_keeps_finished_batches(linear: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", DRIVER, str(linear), "--sweep", "drive=0:1:400", "-n", "200", "--batch-size", "2"]
    process = subprocess.Popen(
        [*command, "-o", "out"], stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=dict(os.environ)
    )
    wait_for_batches(tmp_path / "out", 1, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == "interrupted; finished batches are in out, the same command goes on\n"


def test_the_layout_of_figures(spec: RunSpec, result: Result) -> None:
    grid = plan_layout(result)
    assert figure_title(result, grid).endswith("; every row has its own y axis")
    assert (grid.shape, grid.rows[0], grid.columns) == (
        (3, 2),
        "drive = 0.1",
        ("conduction_speed = 6 mm/ms", "conduction_speed = 1.5 mm/ms"),
    )
    quick = replace(spec, duration=1.0, batch_size=None)
    many = plan_layout(run(replace(quick, sweep={"drive": (0.0, 1.0, 100)})))
    assert (len(many.panels), many.left_out, many.shape) == (64, 36, (8, 8))
    assert [many.panels[index].instance for index in (0, 63)] == [0, 99]
    large = plan_layout(run(replace(quick, sweep={"drive": (0.0, 1.0, 20), "coupling": (0.0, 0.1, 3)})))
    assert (large.shape, large.left_out, large.rows[-1]) == ((8, 3), 36, "drive = 1")
    alone = plan_layout(run(replace(quick, sweep={})))
    assert (alone.shape, alone.panels[0].title) == ((1, 1), "")


def test_figures_of_diverged_runs(spec: RunSpec, tmp_path: Path) -> None:
    found = run(replace(spec, sweep={"coupling": [0.05, 1e30]}))
    draw_traces(found, tmp_path / "traces.png")
    assert (tmp_path / "traces.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert figure_title(found, plan_layout(found)).endswith("; every panel has its own y axis")
    lost = run(replace(spec, sweep={"coupling": [1e30, 1e31]}))
    draw_traces(lost, tmp_path / "lost.png")
    assert figure_title(lost, plan_layout(lost)).endswith("; all instances diverged")
    lines = result_table(found)
    assert lines[0].split() == ["instance", "coupling", "(1/ms)", "mean", "x", "mean", "y", "status"]
    assert lines[2].split()[:4] == ["1", "1e+30", "-", "-"]
    assert "diverged at step" in lines[2]
    assert lines[3] == "means are over the second half of the run and over regions"
    half = found.time_series[0].values[:, found.info.sizes[2] // 2 :].astype(float)
    assert lines[1].split()[2:4] == [f"{value:.4g}" for value in half.mean(axis=(1, 2))]
