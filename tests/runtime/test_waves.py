"""Batches that run side by side, as those of several conduction speeds do: each is kept as soon as it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.runtime import Connectome, RunSpec, engine, run
from ratemlx.runtime.batch import BatchResult, RunningBatch
from ratemlx.runtime.engine import Engine
from ratemlx.store import Shard, ShardWriter

SPEEDS = [1.5, 2.0, 3.0, 6.0]


class Killed(BaseException):
    """Stands for a kill: no handler of an error sees it."""


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    """Four speeds of three instances, of which two share a wave, for two threads are kept busy by two tiles."""
    sweep = {"drive": [0.1, 0.4, 0.2], "conduction_speed": SPEEDS}
    return RunSpec(folder=linear, connectome=small, sweep=sweep, duration=40.0, dt=0.25, threads=2)


@pytest.fixture
def waves(monkeypatch: pytest.MonkeyPatch) -> list[list[list[int]]]:
    """The instances of every batch of every wave that is begun."""
    seen: list[list[list[int]]] = []
    original = Engine._run_wave

    def noted(self: Engine, wave: engine.Wave) -> None:
        seen.append([batch.instances.tolist() for batch in wave])
        original(self, wave)

    monkeypatch.setattr(Engine, "_run_wave", noted)
    return seen


def recorded(monkeypatch: pytest.MonkeyPatch, before: Callable[[int], None] = lambda _: None) -> list[list[int]]:
    """The instances of every batch that is kept; `before` is told how many were."""
    kept: list[list[int]] = []
    keep = ShardWriter.keep

    def wrapped(self: ShardWriter, shard: Shard) -> Path:
        before(len(kept))
        path = keep(self, shard)
        kept.append(shard.instances.tolist())
        return path

    monkeypatch.setattr(ShardWriter, "keep", wrapped)
    return kept


@pytest.mark.parametrize("count", range(4))
def test_a_kill_costs_one_wave_at_the_most(
    spec: RunSpec, waves: list[list[list[int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Killed when so many batches are kept: what is on disk is not computed again, and no more than a wave is lost."""

    def kill(kept: int) -> None:
        if kept == count:
            raise Killed

    stored = replace(spec, output=tmp_path)
    with monkeypatch.context() as patch:
        kept = recorded(patch, kill)
        with pytest.raises(Killed):
            run(stored)
    assert [len(wave) for wave in waves] == [2] * (count // 2 + 1)
    begun = [batch for wave in waves for batch in wave]
    again = recorded(monkeypatch)
    run(stored)
    assert sorted(kept + again) == sorted(map(list, np.arange(12).reshape(3, 4).T.tolist()))
    lost = [batch for batch in begun if batch not in kept]
    assert 1 <= len(lost) <= 2
    whole = run(spec)
    assert whole is not None
    assert ratemlx.open_result(tmp_path).time_series.values.tobytes() == whole.time_series.values.tobytes()


def test_a_batch_that_ends_first_is_kept_first(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of one wave go by chunks of their own lengths, by the memory that they have for samples."""
    events: list[tuple[str, float]] = []
    speed = {index: SPEEDS[index % 4] for index in range(12)}
    advance, finish = RunningBatch.advance, RunningBatch.finish

    def advanced(self: RunningBatch, steps: int) -> engine.Chunk:
        events.append(("advance", self.plan.group.speed))
        return advance(self, steps if self.plan.group.speed in (1.5, 3.0) else 16)

    def finished(self: RunningBatch) -> BatchResult:
        result = finish(self)
        events.append(("finish", speed[int(result.instances[0])]))
        return result

    monkeypatch.setattr(RunningBatch, "advance", advanced)
    monkeypatch.setattr(RunningBatch, "finish", finished)
    result = run(spec)
    ends = [value for name, value in events if name == "finish"]
    assert ends == SPEEDS
    first, last = events.index(("finish", 1.5)), len(events) - 1 - events[::-1].index(("advance", 2.0))
    assert first < last, "kept while the other was still running"
    monkeypatch.undo()
    assert result is not None
    at_once = run(spec)
    assert at_once is not None
    assert result.time_series.values.tobytes() == at_once.time_series.values.tobytes()
