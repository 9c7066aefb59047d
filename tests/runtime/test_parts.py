"""Parts of a sweep, merged at any time: nothing is computed twice, and nothing stays on disk twice."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.errors import ResultError
from ratemlx.runtime import Connectome, Result, RunSpec, plan_run, run
from ratemlx.runtime.merging import merge
from ratemlx.runtime.parts import share
from ratemlx.runtime.progress import LineProgress
from ratemlx.store import Shard, ShardWriter, files
from ratemlx.store.query import ask
from ratemlx.store.run_file import read_contents
from ratemlx.store.shards import read_shards

DRIVES = [0.1, 0.4, 0.2, 0.3, 0.15, 0.35, 0.25, 0.45, 0.12, 0.22]


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    return RunSpec(folder=linear, connectome=small, sweep={"drive": DRIVES}, duration=10.0, dt=0.25)


@pytest.fixture(scope="module")
def at_once(spec: RunSpec) -> Result:
    result = run(spec)
    assert result is not None
    return result


@contextmanager
def counting() -> Iterator[list[int]]:
    """Numbers of all instances that are computed meanwhile, as often as they are."""
    computed: list[int] = []
    keep = ShardWriter.keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ShardWriter, "keep", lambda self, shard: (computed.extend(shard.instances.tolist()), keep(self, shard))[1]
        )
        yield computed


def in_shards(folder: Path) -> list[int]:
    """Numbers of all instances in a folder's shards, as often as they are there."""
    return sorted(n for shard in read_shards(folder, read_contents(folder).stamp) for n in shard.instances.tolist())


def check_is(folder: Path, wanted: Result) -> None:
    assert ratemlx.open_result(folder).time_series.values.tobytes() == wanted.time_series.values.tobytes()
    assert in_shards(folder) == list(range(len(wanted.info.instances)))


def test_shares_are_stretches_that_cover_a_sweep() -> None:
    for count, parts in ((10, 3), (2, 5), (0, 2), (10**7, 7)):
        stretches = [share((index, parts), count) for index in range(parts)]
        assert [item.start for item in stretches] == [0, *(item.stop for item in stretches[:-1])]
        assert stretches[-1].stop == count
        assert max(item.stop - item.start for item in stretches) - min(i.stop - i.start for i in stretches) <= 1


def test_what_was_merged_is_not_computed_again(spec: RunSpec, at_once: Result, tmp_path: Path) -> None:
    whole = replace(spec, output=tmp_path)
    for index in (0, 1):
        run(replace(whole, part=(index, 3)))
    assert merge(tmp_path).n_finished == 6
    with counting() as computed:
        for index in range(3):
            run(replace(whole, part=(index, 3)))
    assert sorted(computed) == [6, 7, 8, 9]
    assert merge(tmp_path).complete
    check_is(tmp_path, at_once)
    with counting() as computed:
        run(replace(whole, part=(1, 3)))
        run(replace(whole, part=(0, 1)))
        run(whole)
    assert computed == []


def test_another_number_of_parts_computes_the_rest(spec: RunSpec, at_once: Result, tmp_path: Path) -> None:
    whole = replace(spec, output=tmp_path)
    run(replace(whole, part=(1, 3)))
    merge(tmp_path)
    with counting() as computed:
        for index in (0, 1):
            run(replace(whole, part=(index, 2)))
    assert sorted(computed) == [0, 1, 2, 6, 7, 8, 9]
    assert merge(tmp_path).complete
    check_is(tmp_path, at_once)


@pytest.mark.parametrize("first", ["thirds", "halves", "both"])
def test_what_parts_share_is_kept_once(spec: RunSpec, at_once: Result, tmp_path: Path, first: str) -> None:
    """Two ways of parting a sweep that knew nothing of each other, merged in any order."""
    whole = replace(spec, output=tmp_path, batch_size=2)
    parts = {"thirds": [(0, 3), (1, 3)], "halves": [(0, 2), (1, 2)]}
    for name in sorted(parts, key=lambda name: name != first):
        for part in parts[name]:
            run(replace(whole, output=tmp_path / name, part=part))
    (tmp_path / "parts").mkdir()
    for name in sorted(parts, key=lambda name: name != first):
        for folder in (tmp_path / name / "parts").iterdir():
            folder.rename(tmp_path / "parts" / folder.name)
        if first != "both":
            merge(tmp_path)
    assert merge(tmp_path).complete
    result = ratemlx.open_result(tmp_path)
    assert result.time_series.values.tobytes() == at_once.time_series.values.tobytes()
    assert ask(tmp_path, "SELECT count(*), count(DISTINCT drive) FROM instances") == [(10, 10)]
    shards = [set(shard.instances.tolist()) for shard in read_shards(tmp_path, read_contents(tmp_path).stamp)]
    for index, shard in enumerate(shards):
        assert not shard <= set().union(*shards[:index], *shards[index + 1 :])


def test_a_damaged_shard_of_the_whole_does_not_count(spec: RunSpec, at_once: Result, tmp_path: Path) -> None:
    whole = replace(spec, output=tmp_path)
    for index in range(3):
        run(replace(whole, part=(index, 3)))
    merge(tmp_path)
    shard = sorted((tmp_path / "shards").glob("*.npz"))[1]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with counting() as computed:
        for index in range(3):
            run(replace(whole, part=(index, 3)))
    assert sorted(computed) == [3, 4, 5]
    assert merge(tmp_path).complete
    check_is(tmp_path, at_once)


def test_parts_enlarge_a_run(spec: RunSpec, tmp_path: Path) -> None:
    """A second sweep in parts: points of the first are known, and all have the numbers of one folder."""
    whole = replace(spec, output=tmp_path)
    for index in range(2):
        run(replace(whole, part=(index, 2)))
    assert merge(tmp_path).complete
    larger = replace(whole, sweep={"drive": [0.05, *DRIVES, 0.5]})
    with counting() as computed:
        for index in range(3):
            run(replace(larger, part=(index, 3)))
    assert sorted(computed) == [10, 21]
    assert merge(tmp_path).complete
    result = ratemlx.open_result(tmp_path)
    np.testing.assert_array_equal(result.parameters["drive"], [*DRIVES, 0.05, 0.5])
    alone = run(replace(larger, output=None))
    assert alone is not None
    order = [*range(1, 11), 0, 11]
    assert result.time_series.values.tobytes() == alone.time_series.values[order].tobytes()


def said(spec: RunSpec) -> list[str]:
    """What a part says about itself: in its plan, and at its end."""
    stream = io.StringIO()
    run(spec, LineProgress(stream))
    return [line.partition("; ")[2] or line for line in stream.getvalue().splitlines() if "part " in line]


def keep_one(keep: Callable[[ShardWriter, Shard], Path]) -> Callable[[ShardWriter, Shard], Path]:
    """`keep` that ends a run when its second batch comes."""
    kept: list[Path] = []

    def wrapped(writer: ShardWriter, shard: Shard) -> Path:
        if kept:
            raise KeyboardInterrupt
        kept.append(keep(writer, shard))
        return kept[-1]

    return wrapped


def test_a_part_says_what_is_its_own(spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replace(spec, output=tmp_path / "a run", batch_size=2)
    part = replace(whole, part=(2, 3))
    assert "10 instances: drive (10); part 2/3 has 4 of them: 4 to run" in plan_run(part)
    assert any(line.startswith("2 batches of up to 2") for line in plan_run(part))
    merging = f"this puts parts together, when all or some are: ratemlx merge '{whole.output}'"
    monkeypatch.setattr(ShardWriter, "keep", keep_one(ShardWriter.keep))
    with pytest.raises(KeyboardInterrupt):
        run(part)
    monkeypatch.undo()
    assert said(part) == ["part 2/3 has 4 of them: 2 finished before, 2 to run", merging]
    assert said(part) == ["part 2/3 has 4 of them, finished before: nothing to do", merging]
    assert said(replace(part, part=(0, 20))) == ["part 0/20 has none of them: nothing to do", merging]


class Killed(BaseException):
    """Stands for a kill: no handler of an error sees it."""


def test_a_merge_killed_before_any_operation_loses_nothing(
    spec: RunSpec, at_once: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirds are merged, and then halves that overlap them; killed before every 13th of some hundred operations."""
    whole = replace(spec, output=tmp_path / "whole", batch_size=2)
    run(replace(whole, part=(0, 3)))
    merge(whole.output)
    for part in ((0, 2), (1, 2)):
        run(replace(whole, output=tmp_path / "halves", part=part))
    for folder in (tmp_path / "halves" / "parts").iterdir():
        folder.rename(whole.output / "parts" / folder.name)
    left: list[int] = []

    def count(_operation: str, _path: Path) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed

    monkeypatch.setattr(files, "about_to", count)
    for operations in range(1, 1000, 13):
        left[:] = [operations]
        copy = tmp_path / str(operations)
        shutil.copytree(whole.output, copy)
        with suppress(Killed):
            merge(copy)
        killed, left[:] = left[0] <= 0, [10**9]
        assert merge(copy).complete
        assert ratemlx.open_result(copy).time_series.values.tobytes() == at_once.time_series.values.tobytes()
        assert ask(copy, "SELECT count(*), count(DISTINCT drive) FROM instances") == [(10, 10)]
        assert len(in_shards(copy)) < 10 + 3
        if not killed:
            break
    assert operations > 20


STOPPED = """
import os, signal, sys
from ratemlx.cli import main
from ratemlx.store import files

def tell(operation, path):
    if operation == sys.argv[2]:
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))

files.about_to = tell
sys.exit(main(["merge", sys.argv[3]]))
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 75), ("SIGUSR1", 75), ("SIGINT", 130)])
@pytest.mark.parametrize("operation", ["move", "insert"])
def test_a_merge_that_is_told_to_stop_lets_go(
    spec: RunSpec, at_once: Result, tmp_path: Path, name: str, code: int, operation: str
) -> None:
    for index in range(2):
        run(replace(spec, output=tmp_path, part=(index, 2)))
    command = [sys.executable, "-c", STOPPED, name, operation, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    reason = "interrupted" if name == "SIGINT" else f"stopped by {name}"
    told = f"{reason}; finished batches are in {tmp_path}, the same command goes on\n"
    assert (done.stderr, done.stdout, done.returncode) == (told, "", code)
    assert list(tmp_path.rglob("run.lock")) == []
    assert merge(tmp_path).complete
    check_is(tmp_path, at_once)


def test_parts_of_what_cannot_be_merged_are_refused(spec: RunSpec, tmp_path: Path) -> None:
    whole = replace(spec, output=tmp_path)
    run(replace(whole, part=(0, 2)))
    run(replace(whole, sweep={"drive": [0.7, 0.8]}))
    with pytest.raises(ResultError, match=r"00000-of-00002 is a part of another sweep than .* holds"):
        run(replace(whole, part=(0, 2)))
    with pytest.raises(ResultError, match="00000-of-00002 is a part of another sweep"):
        merge(tmp_path)
    run(replace(whole, part=(0, 2), restart=True))
    merged = merge(tmp_path)
    assert (merged.n_finished, merged.n_points, merged.complete) == (7, 12, False)
    with pytest.raises(ResultError, match=r"holds another run; what differs: seed"):
        run(replace(whole, part=(1, 2), seed=7))
    assert not (tmp_path / "parts" / "00001-of-00002" / "run.json").exists()
    assert len(json.loads((tmp_path / "run.json").read_text())["sweeps"]) == 2


def test_a_part_begun_anew_computes_what_was_merged(spec: RunSpec, at_once: Result, tmp_path: Path) -> None:
    half = replace(spec, output=tmp_path, part=(0, 2))
    run(half)
    merge(tmp_path)
    with counting() as computed:
        run(replace(half, restart=True))
    assert sorted(computed) == list(range(5))
    run(replace(half, part=(1, 2)))
    merge(tmp_path)
    check_is(tmp_path, at_once)
