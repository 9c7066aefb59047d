"""Runs that compute: metrics, fitness, BOLD and kept series, in memory and in a folder, with any batches."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ratemlx
from ratemlx import metrics
from ratemlx.errors import MetricError, RatemlxError, SweepError
from ratemlx.metrics import Recording
from ratemlx.runtime import Connectome, Result, RunSpec, run
from ratemlx.runtime.outputs import make_fitness, make_outputs

SWEEP = {"drive": [0.1, 0.4, 0.2], "coupling": [0.01, 0.05]}


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    return RunSpec(folder=linear, connectome=small, sweep=SWEEP, duration=1600.0, dt=0.5)


def results(spec: RunSpec, **outputs: object) -> Result:
    found = run(replace(spec, outputs=make_outputs(**outputs)))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_metrics_are_those_of_the_kept_series(spec: RunSpec, small: Connectome, tmp_path: Path) -> None:
    """Also in a folder, batch by batch, where no series is kept."""
    found = results(spec, metrics="table2", transient=300.0, keep="all")
    chosen = metrics.select(("table2",))
    for index, exposure in enumerate(("x", "y")):
        values = found.time_series.values[:, index, 300:]
        recording = Recording(
            values=values,
            period=1.0,
            unit="",
            labels=small.region_labels,
            weights=small.weights,
            tract_lengths=small.tract_lengths,
        )
        wanted = metrics.evaluate(chosen, {exposure: recording})
        for name, column in {**wanted.columns, **wanted.regional}.items():
            np.testing.assert_array_equal(found.metrics[name].values, column)
    written = results(replace(spec, output=tmp_path, batch_size=2), metrics="table2", transient=300.0)
    assert written.series is None
    assert not (tmp_path / "time_series.nc").exists()
    for name, values in found.metrics.data_vars.items():
        # Regional values are stored in float32.
        tolerance = 1e-6 if values.ndim == 2 else 0.0
        np.testing.assert_allclose(written.metrics[name].values, values.values, rtol=tolerance)


def test_metrics_of_rates_are_left_out_of_other_exposures() -> None:
    """E of AdEx is a rate, its adaptation current is none: said once, with no column of NaN."""
    found = ratemlx.simulate(
        "adex", duration=700.0, observe=("E", "W_e"), metrics="ratio_AI,mean_up_ms,mean_FR,mean_FC", transient=300.0
    )
    assert {"ratio_AI_E", "mean_up_ms_E", "mean_FR_W_e", "mean_FC_W_e"} <= set(found.metrics)
    assert not {"ratio_AI_W_e", "mean_up_ms_W_e", "mean_down_ms_W_e"} & set(found.metrics)
    assert found.provenance["notes"] == [
        "defined for firing rates only, and left out of W_e (pA): asynchronous_irregular_ratio, up_down_durations"
    ]
    alone = ratemlx.simulate("adex", duration=700.0, observe=("W_e",), metrics="mean_up_ms,mean_FR", transient=300.0)
    assert set(alone.metrics) == {"mean_FR_W_e", "std_FR_W_e", "max_FR_W_e", "min_FR_W_e"}
    with pytest.raises(MetricError, match=r"defined for rates only: up_down_durations; none of W_e is one by its unit"):
        ratemlx.simulate("adex", duration=700.0, observe=("W_e",), metrics="mean_up_ms")


def test_a_run_may_keep_nothing_but_how_it_ended(spec: RunSpec, tmp_path: Path) -> None:
    for output in (None, tmp_path):
        found = results(replace(spec, output=output), keep="none")
        assert found.series is None
        assert set(found.status.values) == {"ok"}
        assert not found.metrics


def test_streamed_metrics_equal_those_of_series(spec: RunSpec) -> None:
    """Connectivity and statistics alone need no series on the host."""
    names = ("mean_FC", "corr_FC_SC", "firing_rate")
    available = {item.name: item for item in metrics.select(("all",))}
    chosen = [name for name, item in available.items() if item.needs in ("fc", "statistics")]
    assert len(chosen) >= 3, names
    streamed = results(spec, metrics=chosen, transient=300.0)
    held = results(spec, metrics=chosen, transient=300.0, keep="all")
    assert streamed.series is None
    for name, values in held.metrics.data_vars.items():
        np.testing.assert_allclose(streamed.metrics[name].values, values.values, rtol=2e-4, atol=2e-5)


def test_the_best_are_kept(spec: RunSpec, tmp_path: Path) -> None:
    fitness = make_fitness(terms="FC_SC")
    kept = results(replace(spec, output=tmp_path, batch_size=2), fitness=fitness, keep="best:2", transient=300.0)
    values = kept.metrics["fitness"].values
    best = np.argsort(-values, kind="stable")[:2]
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection:
        rows = connection.execute("SELECT DISTINCT instance, name FROM arrays ORDER BY instance, name").fetchall()
        (data,) = connection.execute(
            "SELECT data FROM arrays WHERE name = 'series' AND exposure = 'x' AND instance = ?", (int(best[0]),)
        ).fetchone()
    assert rows == sorted((int(number), name) for number in best for name in ("FC", "series"))
    series = results(spec, keep="all", metrics="mean_FC", transient=300.0).time_series
    np.testing.assert_array_equal(
        np.frombuffer(data, dtype=np.float32).reshape(1300, 5), series.values[best[0], 0, 300:]
    )


def test_bold(spec: RunSpec, tmp_path: Path) -> None:
    long = replace(spec, duration=20_000.0, sweep={"drive": [0.1, 0.4]}, batch_size=1)
    found = results(long, bold=500.0, transient=1000.0)
    assert found.bold is not None
    assert (found.bold.dims, found.bold.shape) == (("instance", "exposure", "time", "region"), (2, 2, 38, 5))
    assert found.bold.exposure.values.tolist() == ["x_BOLD", "y_BOLD"]
    np.testing.assert_array_equal(found.bold.time.values[[0, -1]], [1500.0, 20_000.0])
    written = results(replace(long, output=tmp_path), bold=500.0, transient=1000.0)
    xr.testing.assert_identical(written.bold, found.bold)
    xr.testing.assert_identical(ratemlx.open_result(tmp_path).bold, found.bold)
    with_metrics = results(long, bold=500.0, transient=1000.0, metrics="mean_FC")
    assert {"mean_FC_x", "mean_FC_x_BOLD"} <= set(with_metrics.metrics.data_vars)


def test_diverged_instances_have_no_metrics(spec: RunSpec, tmp_path: Path) -> None:
    mixed = replace(spec, sweep={"coupling": [0.05, 1e30]}, output=tmp_path)
    found = results(mixed, metrics="table2")
    for values in found.metrics.data_vars.values():
        assert np.isnan(values.values[1]).all()
    assert np.isfinite(found.metrics["mean_FC_x"].values[0])
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection:
        rows = connection.execute("SELECT status, mean_FC_x IS NULL FROM instances ORDER BY instance").fetchall()
    assert rows == [("ok", 0), ("diverged", 1)]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"metrics": "mean_FCC"}, "mean_FCC"),
        ({"metrics": "table2", "transient": 1599.0}, "too short|leaves nothing"),
        ({"keep": "some"}, "it is not clear which series to keep: 'some'"),
        ({"keep": "best:3"}, "which instances are best is told by their fitness"),
        ({"keep": "all:3"}, "it is not clear which series to keep"),
        ({"bold": -1.0}, "TR must be above zero"),
        ({"metrics": "mean_FC", "transient": -1.0}, "transient"),
        ({"metrics": 3}, "names are wanted"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_runs(
    spec: RunSpec, tmp_path: Path, outputs: dict[str, object], message: str
) -> None:
    with pytest.raises(RatemlxError, match=message):
        results(replace(spec, output=tmp_path / "out"), **outputs)
    assert not (tmp_path / "out").exists()


def test_other_metrics_are_another_run(spec: RunSpec, tmp_path: Path) -> None:
    results(replace(spec, output=tmp_path), metrics="mean_FC")
    with pytest.raises(RatemlxError, match="what differs: metrics"):
        results(replace(spec, output=tmp_path), metrics="mean_FC,mean_PLI")
    with pytest.raises(SweepError):
        make_outputs(keep="best:0")


@pytest.mark.parametrize("device", ["cpu", "cuda-emulation"])
def test_series_that_stay_on_the_device_are_the_same(device: str) -> None:
    """Where arrays of the device can be had, metrics are computed there and no sample comes to the host."""
    from ratemlx.runtime.devices import open_device
    from ratemlx.runtime.engine import Hooks, run_plan
    from ratemlx.runtime.plan import Limits, make_plan
    from ratemlx.runtime.progress import Progress
    from ratemlx.runtime.spec import prepare
    from tests.support.shipped import shipped

    job = prepare(shipped("montbrio", device, sweep={"J": np.linspace(12, 16, 5)}, duration=40.0))
    opened = open_device(device, 2)
    try:
        limits = Limits(opened.lanes("float32"), 2, 1 << 30, 1e9, batch_size=2)
        plan = make_plan(
            job.manifest,
            job.edges,
            job.timing,
            job.parameters.speeds,
            precision="float32",
            n_observed=len(job.observed),
            limits=limits,
        )
        found: dict[str, dict[int, np.ndarray]] = {"host": {}, "device": {}}
        for place, kept in found.items():

            def keep(batch: object, kept: dict[int, np.ndarray] = kept) -> None:
                kept[int(batch.instances[0])] = batch.series  # type: ignore[attr-defined]

            run_plan(job, plan, opened, Hooks(keep, series=place), Progress())  # type: ignore[arg-type]
    finally:
        opened.close()
    assert sorted(found["device"]) == [0, 2, 4]
    for first, series in found["host"].items():
        np.testing.assert_array_equal(found["device"][first], series)


def test_the_best_come_back_with_all_that_is_kept(spec: RunSpec, tmp_path: Path) -> None:
    """From memory, from a folder, and from one that memory was saved to; fittest first."""
    fitness = make_fitness(terms="FC_SC")
    asked = {"fitness": fitness, "keep": "best:2", "transient": 300.0, "bold": 100.0}
    in_memory = results(replace(spec, batch_size=2), **asked)
    written = results(replace(spec, output=tmp_path / "run", batch_size=4), **asked)
    in_memory.save(tmp_path / "saved")
    assert in_memory.best is not None
    order = np.argsort(-in_memory.metrics["fitness"].values, kind="stable")[:2]
    assert in_memory.best.instance.values.tolist() == order.tolist()
    np.testing.assert_array_equal(in_memory.best["drive"], in_memory.parameters["drive"].values[order])
    whole = results(spec, keep="all").time_series.sel(exposure="x").values[order, 300:]
    np.testing.assert_array_equal(in_memory.best["series_x"].values, whole)
    assert in_memory.best["time"].values[0] == 300.5
    wanted = np.corrcoef(whole[0].astype(np.float64).T)
    np.testing.assert_allclose(in_memory.best["FC_x"].values[0], wanted, atol=1e-6)
    assert in_memory.best["series_x_BOLD"].dims == ("instance", "volume_time", "region")
    assert in_memory.fc is not None
    assert sorted(in_memory.fc.instance.values) == sorted(order)
    for again in (written, ratemlx.open_result(tmp_path / "run"), ratemlx.open_result(tmp_path / "saved")):
        xr.testing.assert_identical(again.best, in_memory.best)
        xr.testing.assert_identical(again.fc, in_memory.fc)
        xr.testing.assert_identical(again.bold, in_memory.bold)


def test_connectivity_of_all_instances(spec: RunSpec, tmp_path: Path) -> None:
    """Streamed where no series is looked at; without those that diverged; and beside the series of the best."""
    mixed = replace(spec, sweep={"coupling": [0.05, 0.01, 1e30, 0.02]}, batch_size=2)
    streamed = results(replace(mixed, output=tmp_path / "a"), keep_fc=True, transient=300.0)
    assert streamed.series is None
    assert streamed.best is None
    assert streamed.fc is not None
    assert streamed.fc.instance.values.tolist() == [0, 1, 3]
    assert streamed.fc.coupling.values.tolist() == [0.05, 0.01, 0.02]
    series = results(mixed, keep="all").time_series.values[[0, 1, 3], :, 300:].astype(np.float64)
    wanted = [[np.corrcoef(values.T) for values in exposures] for exposures in series]
    np.testing.assert_allclose(streamed.fc.values, wanted, atol=1e-5)
    both = results(
        replace(mixed, output=tmp_path / "b"), keep_fc=True, keep="best:1", fitness=make_fitness(terms="FC_SC")
    )
    assert both.fc is not None
    assert both.fc.sizes["instance"] == 3
    assert both.best is not None
    assert both.best["series_x"].shape == (1, 1600, 5)
    with pytest.raises(RatemlxError, match="what differs"):
        results(replace(mixed, output=tmp_path / "a"), metrics="mean_FC", transient=300.0)


def test_dynamics_of_bold(spec: RunSpec) -> None:
    """Taken where there are enough volumes, with windows of their own; else it is said that they are not."""
    from ratemlx.observables.bold_options import parse_bold

    long = replace(spec, duration=6000.0, sweep={"drive": [0.1, 0.4]})
    short = parse_bold(50.0, ["fcd_window=1000", "fcd_step=200", "tau_s=0.8"])
    found = results(long, metrics="dynamics", bold=short, keep="all")
    assert found.bold is not None
    recording = Recording(found.bold.values[:, 0], period=50.0, fcd_window=1000.0, fcd_step=200.0)
    chosen = metrics.select(("dynamics",))
    for name, values in metrics.evaluate(chosen, {"x_BOLD": recording}).columns.items():
        np.testing.assert_array_equal(found.metrics[name].values, values)
    assert np.isfinite(found.metrics["mean_FCD_x_BOLD"].values).all()
    without = results(long, metrics="dynamics", bold=50.0)
    assert "mean_phFCD_x_BOLD" in without.metrics
    assert "mean_FCD_x_BOLD" not in without.metrics
    assert any("too few BOLD volumes for sliding_window_fcd" in note for note in without.provenance["notes"])


def test_windows_of_dynamics(spec: RunSpec) -> None:
    found = results(spec, metrics="sliding_window_fcd", fcd_window=500.0, fcd_step=50.0, keep="all")
    recording = Recording(found.time_series.values[:, 0], period=1.0, fcd_window=500.0, fcd_step=50.0)
    wanted = metrics.evaluate(metrics.select(("mean_FCD",)), {"x": recording}).columns["mean_FCD_x"]
    np.testing.assert_array_equal(found.metrics["mean_FCD_x"].values, wanted)
    with pytest.raises(RatemlxError, match=r"has 1 windows of 1500 ms after the transient; there must be 3"):
        results(spec, metrics="sliding_window_fcd", fcd_window=1500.0, fcd_step=100.0)
    with pytest.raises(RatemlxError, match="a step is at most as long as a window"):
        make_outputs(fcd_window=10.0)


def test_fitness_of_bold_dynamics_needs_no_series_of_samples(spec: RunSpec, tmp_path: Path) -> None:
    from ratemlx.observables.bold_options import parse_bold
    from ratemlx.runtime.analysis import Analysis
    from ratemlx.runtime.spec import prepare

    np.save(tmp_path / "phases.npy", np.linspace(-1, 1, 50))
    fitness = make_fitness(terms="phFCD", phfcd=tmp_path / "phases.npy")
    outputs = make_outputs(fitness=fitness, bold=parse_bold(50.0, ()))
    analysis = Analysis(prepare(replace(spec, outputs=outputs)), 8)
    assert not analysis.needs_series
    found = run(replace(spec, outputs=outputs))
    assert found is not None
    assert np.isfinite(found.metrics["fitness_phFCD_x_BOLD"].values).all()


def test_another_metric_of_the_users_is_another_run(spec: RunSpec, tmp_path: Path) -> None:
    """A file that was edited makes other numbers; they are not put beside the old ones."""
    text = """
from ratemlx.metrics import metric

@metric(outputs=["largest"], needs="statistics")
def largest(recording):
    return {"largest": recording.moments.maximum.max(axis=1)}
"""
    file = tmp_path / "mine.py"
    file.write_text(text)
    asked = {"metrics": "largest,mean_FC", "plugins": (file,)}
    found = results(replace(spec, output=tmp_path / "run"), **asked)
    series = results(spec, keep="all").time_series.values[:, 0]
    np.testing.assert_array_equal(found.metrics["largest_x"].values, series.max(axis=(1, 2)))
    file.write_text(text.replace(".max(axis=1)", ".min(axis=1)"))
    with pytest.raises(RatemlxError, match="plugins"):
        results(replace(spec, output=tmp_path / "run"), **asked)


def test_the_best_are_exported(spec: RunSpec, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from ratemlx.cli import main

    kept = results(replace(spec, output=tmp_path / "run"), fitness=make_fitness(terms="FC_SC"), keep="best:2")
    assert main(["export", str(tmp_path / "run"), str(tmp_path / "best.nc"), "--table", "best"]) == 0
    with xr.open_dataset(tmp_path / "best.nc", engine="h5netcdf", decode_times=False) as found:
        assert kept.best is not None
        xr.testing.assert_equal(found.load(), kept.best)
    results(replace(spec, output=tmp_path / "plain"), metrics="mean_FC")
    for run_folder, file, message in (
        ("plain", "a.nc", "does not rank its instances"),
        ("run", "a.csv", "end it in .nc"),
        ("run", "no/a.nc", "is not a folder"),
    ):
        assert main(["export", str(tmp_path / run_folder), str(tmp_path / file), "--table", "best"]) == 2
        assert message in capfd.readouterr().err
    assert not list(tmp_path.glob("a.*"))
