"""Progress covers simulation and analysis, with a rate and the time that is left."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ratemlx.runtime import Connectome, RunSpec, progress, run, simulation
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.outputs import make_outputs
from ratemlx.runtime.progress import Analysed, BarProgress, LineProgress, Progress, rate_text
from ratemlx.runtime.rates import expected_analysis, expected_rate, remember_rate
from ratemlx.runtime.spec import prepare

METRICS = make_outputs(metrics="mean_FC, firing_rate, mean_PLI", transient=10.0)


@pytest.fixture
def spec(linear: Path, small: Connectome) -> RunSpec:
    sweep = {"drive": [0.1, 0.4, 0.2, 0.3, 0.15]}
    return RunSpec(folder=linear, connectome=small, sweep=sweep, duration=100.0, dt=0.5, batch_size=2, outputs=METRICS)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock that progress looks at."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


class Counting(Progress):
    """Remembers what it is told."""

    def begin(self, total: int, instances: int) -> None:
        self.total, self.instances, self.done, self.stages = total, instances, 0, [progress.SIMULATING]
        self.thread = threading.get_ident()

    def stage(self, what: str) -> None:
        self.stages.append(what)

    def advance(self, done: int) -> None:
        assert threading.get_ident() == self.thread
        self.done += done


def test_lines_tell_stage_rate_and_time_left(later: Callable[[float], None]) -> None:
    stream = io.StringIO()
    told = LineProgress(stream)
    told.begin(1000, 50)
    later(4)
    told.advance(100)
    later(8)
    told.stage(progress.ANALYSING)
    told.advance(200)
    later(28)
    told.advance(700)
    later(10)
    told.end()
    assert stream.getvalue().splitlines() == [
        " 30.0% done, analysing, 1.25 instances/s, 28 s left",
        "100.0% done, analysing, 1.25 instances/s, under 1 s left",
        "100.0% done in 50 s, 1 instances/s",
    ]


def test_nothing_done_has_no_rate(later: Callable[[float], None]) -> None:
    stream = io.StringIO()
    told = LineProgress(stream)
    told.begin(0, 0)
    later(2)
    told.end()
    assert stream.getvalue() == "  0.0% done in 2 s\n"


def test_the_bar_tells_the_same() -> None:
    stream = io.StringIO()
    told = BarProgress(stream)
    told.begin(100, 10)
    told.stage(progress.ANALYSING)
    told.advance(100)
    (task,) = told._bar.tasks
    assert (task.description, task.completed) == ("analysing", 100)
    assert task.fields["rate"].endswith("instances/s")
    told.end()
    assert "100.0% done in under 1 s, " in stream.getvalue()


def test_rates_in_words() -> None:
    rates = (12345.6, 123.4, 2.5, 1 / 30, 1 / 600, 1e-5, 1e-6)
    assert [rate_text(rate).replace(" instances", "") for rate in rates] == [
        *("12,346/s", "123/s", "2.5/s", "2/min", "6/h", "0.864/day", "0.0864/day"),
    ]


def test_what_other_threads_have_analysed_is_told_here() -> None:
    told = Counting()
    told.begin(100, 10)
    analysed = Analysed(told, 7)
    thread = threading.Thread(target=analysed.add, args=(3, 0.5))
    thread.start()
    thread.join()
    assert told.done == 0
    analysed.tell()
    analysed.tell()
    assert (told.done, analysed.seconds) == (21, 0.5)


@pytest.mark.parametrize("kept", [False, True])
def test_simulation_and_analysis_add_up(
    spec: RunSpec, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "expected_analysis", lambda *_: 1.5)
    told = Counting()
    run(replace(spec, output=tmp_path if kept else None), told)
    assert (told.total, told.instances) == (5 * (200 + 300), 5)
    assert told.done == told.total
    # Batches may run side by side; each is analysed by itself.
    assert told.stages.count(progress.ANALYSING) == 3
    assert told.stages[-1] == progress.SIMULATING


def test_rates_are_remembered_by_what_is_analysed(
    spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path))
    plain, analysing = prepare(replace(spec, outputs=make_outputs())), prepare(spec)
    device = open_device("cpu", 1)
    try:
        guess = expected_rate(plain, device, 4)
        assert expected_analysis(plain, device, 4) == 0
        assert expected_analysis(analysing, device, 4) > 0
        assert expected_rate(analysing, device, 4) < guess
        remember_rate(analysing, device, 4, 123.0, 0.25)
        assert (expected_rate(analysing, device, 4), expected_analysis(analysing, device, 4)) == (123.0, 0.25)
        assert expected_rate(plain, device, 4) == guess
        (file,) = (tmp_path / "rates").iterdir()
        for text in ("", "1e9", "nan 0", "inf 0", "1 -1", "1 inf", "one two"):
            file.write_text(text, encoding="ascii")
            assert expected_rate(analysing, device, 4) < guess
    finally:
        device.close()
