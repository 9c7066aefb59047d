"""A run killed anywhere: what it leaves is never taken for part of another run, and one process writes at a time."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.errors import RatemlxError, ResultError, SweepError
from ratemlx.runtime import Connectome, Result, RunSpec, disk, finishing, folder_lock, run, simulation
from ratemlx.runtime.ending import telling_what_is_kept
from ratemlx.runtime.folder_lock import LOCK_FILE, locked
from ratemlx.runtime.merging import merge
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.stopping import Stopped
from ratemlx.store import RunStore, ShardWriter, discarding, run_store

WHOLE = ["parameters.csv", "results.sqlite", "run.json", "shards", "time_series.nc"]


class Told(Progress):
    """Keeps what is announced and warned of."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def announce(self, lines: Sequence[str]) -> None:
        self.lines += lines

    def warn(self, line: str) -> None:
        self.warnings.append(line)


class Killed(BaseException):
    """Stands for a kill: no handler of an error sees it."""


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    sweep = {"drive": [0.1, 0.4, 0.2, 0.3]}
    return RunSpec(folder=linear, connectome=small, sweep=sweep, duration=10.0, dt=0.25, batch_size=1)


@pytest.fixture(scope="module")
def old(spec: RunSpec) -> Result:
    return run(spec)


@pytest.fixture(scope="module")
def new(spec: RunSpec) -> Result:
    return run(replace(spec, seed=7))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def killing(call: Callable[..., object], nth: int, *, after: bool) -> Callable[..., object]:
    """`call` that kills at its n-th use, before or after its work."""
    count = 0

    def wrapped(*args: object, **kwargs: object) -> object:
        nonlocal count
        count += 1
        if count == nth and not after:
            raise Killed
        value = call(*args, **kwargs)
        if count == nth:
            raise Killed
        return value

    return wrapped


def kill_at(target: object, name: str, nth: int, spec: RunSpec, *, after: bool = False) -> None:
    """Run until the n-th use of a function."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, name, killing(getattr(target, name), nth, after=after))
        with pytest.raises(Killed):
            run(spec)


def interrupted(spec: RunSpec, folder: Path) -> RunSpec:
    """A run of which two batches of four are finished."""
    spec = replace(spec, output=folder)
    kill_at(ShardWriter, "keep", 3, spec)
    assert len(list((folder / "shards").glob("*.npz"))) == 2
    return spec


def check_holds(folder: Path, wanted: Result, *, parts: bool = False) -> None:
    assert ratemlx.open_result(folder).time_series.values.tobytes() == wanted.time_series.values.tobytes()
    assert names(folder) == sorted([*WHOLE, *(["parts"] if parts else [])])


def contents(folder: Path) -> dict[str, bytes]:
    """All files in a folder and below."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("fault", ["memory", "disk", "compiler", "interrupt", "time"])
def test_restart_leaves_the_old_run_alone_where_the_new_one_cannot_begin(
    spec: RunSpec, old: Result, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(replace(spec, output=tmp_path))
    before = contents(tmp_path)
    other = replace(spec, output=tmp_path, restart=True, seed=7)
    if fault == "memory":
        other = replace(other, batch_size=100_000_000)
    elif fault == "disk":
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage(0, 0, -10_000_000))  # type: ignore[attr-defined]
    elif fault == "compiler":
        monkeypatch.setenv("CXX", "/bin/false")
        monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    elif fault == "interrupt":
        load = simulation.load_kernel
        monkeypatch.setattr(
            simulation, "load_kernel", lambda *given: (os.kill(os.getpid(), signal.SIGINT), load(*given))[1]
        )
    else:
        other = replace(other, max_time=1e-9)
    with pytest.raises((RatemlxError, KeyboardInterrupt, Stopped)):
        run(other)
    assert contents(tmp_path) == before
    check_holds(tmp_path, old)


@pytest.mark.parametrize(
    ("restart", "words"), [(True, ", without --restart once that has discarded what was there"), (False, "")]
)
def test_who_is_stopped_is_not_told_to_discard_what_is_finished(
    restart: bool, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Stopped), telling_what_is_kept(lambda: Path("out"), restart=restart):
        raise Stopped("SIGTERM")
    assert capsys.readouterr().err == (
        f"stopped by SIGTERM; finished batches are in out, the same command goes on{words}\n"
    )


def test_what_restart_discards_makes_room(
    spec: RunSpec, new: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(replace(spec, output=tmp_path))
    with (tmp_path / "report.html").open("r+b" if (tmp_path / "report.html").exists() else "wb") as stream:
        stream.truncate(50_000_000)  # takes no room here, but is as long
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage(0, 0, 10_000))  # type: ignore[attr-defined]
    told = Told()
    run(replace(spec, output=tmp_path, restart=True, seed=7), told)
    assert "; 9.8 KiB, and 47.8 MiB more without what is discarded, are free in " in "".join(told.lines)
    assert [text.partition(" (")[0] for text in told.warnings[0].partition(f"{tmp_path}: ")[2].split("; ")] == [
        *("4 finished batches of 1 sweep", "results.sqlite", "time_series.nc", "parameters.csv"),
        *("report.html", "run.json"),
    ]
    assert "; report.html (47.7 MiB); run.json (" in told.warnings[0]
    check_holds(tmp_path, new)


def test_restart_discards_parts_too(spec: RunSpec, new: Result, tmp_path: Path) -> None:
    """Unless one of them is running: then nothing is discarded at all."""
    for index in (0, 1):
        run(replace(spec, output=tmp_path, part=(index, 3)))
    run(replace(spec, output=tmp_path))
    before = contents(tmp_path)
    other, told = replace(spec, output=tmp_path, restart=True, seed=7), Told()
    with locked(tmp_path / "parts" / "00001-of-00003"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_lock, "PATIENCE_SECONDS", 0.1)
        with pytest.raises(ResultError, match=r"another run is writing to .*00001-of-00003"):
            run(other, told)
    assert contents(tmp_path) == before
    assert told.warnings == []
    run(other, told)
    assert re.search(r"; run\.json \([\d.]+ KiB\); 2 parts \([\d.]+ KiB\)$", told.warnings[0])
    check_holds(tmp_path, new)
    assert merge(tmp_path).complete
    check_holds(tmp_path, new)


def test_restart_of_a_part_discards_that_part_alone(spec: RunSpec, old: Result, tmp_path: Path) -> None:
    for index in (0, 1, 2):
        run(replace(spec, output=tmp_path, part=(index, 3)))
    others = [contents(tmp_path / "parts" / f"0000{index}-of-00003") for index in (0, 2)]
    told = Told()
    run(replace(spec, output=tmp_path, part=(1, 3), restart=True), told)
    assert told.warnings[0].startswith(f"--restart discards what is in {tmp_path / 'parts' / '00001-of-00003'}: ")
    assert [contents(tmp_path / "parts" / f"0000{index}-of-00003") for index in (0, 2)] == others
    assert merge(tmp_path).complete
    check_holds(tmp_path, old, parts=True)


@pytest.mark.parametrize("nth", range(1, 11))
def test_killed_while_it_clears(spec: RunSpec, old: Result, new: Result, tmp_path: Path, nth: int) -> None:
    """Each file that --restart deletes, in turn: never half of each run."""
    first = interrupted(spec, tmp_path)
    other = replace(first, seed=7)
    kill_at(discarding, "remove", nth, replace(other, restart=True))
    if list((tmp_path / "shards").glob("*.npz")):
        with pytest.raises(ResultError, match="holds another run; what differs: seed"):
            run(other)
    run(first)
    check_holds(tmp_path, old)
    run(replace(other, restart=True))
    check_holds(tmp_path, new)


STEPS = [
    (finishing, "write_parameters", 1),
    (finishing, "write_netcdf", 1),
    (RunStore, "shed_series", 1),
    (run_store, "write_shard", 5),
    (run_store, "remove", 2),
    (finishing, "write_parameters", 2),
    (RunStore, "finish", 1),
]


@pytest.mark.parametrize(("target", "name", "nth"), STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_killed_around_what_it_does_at_the_end(
    spec: RunSpec, old: Result, tmp_path: Path, target: object, name: str, nth: int, after: bool
) -> None:
    done = replace(spec, output=tmp_path)
    kill_at(target, name, nth, done, after=after)
    if (name, after) != ("finish", True):
        with pytest.raises(ResultError):
            ratemlx.open_result(tmp_path)
    run(done)
    check_holds(tmp_path, old)
    assert json.loads((tmp_path / "run.json").read_text())["complete"] is True


def test_a_new_file_has_its_name_on_the_disk_before_what_it_replaces_goes(
    spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the order that a power cut may not turn round: series are in one place after the other."""
    happened: list[tuple[str, str]] = []
    fsync, rename, unlink = os.fsync, Path.replace, Path.unlink

    def flushed(handle: int) -> None:
        happened.append(("flush", Path(f"/proc/self/fd/{handle}").resolve().name))
        fsync(handle)

    def renamed(path: Path, target: Path) -> Path:
        happened.append(("rename", target.name))
        return rename(path, target)

    def removed(path: Path, missing_ok: bool = False) -> None:
        happened.append(("remove", path.name))
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    monkeypatch.setattr(Path, "unlink", removed)
    run(replace(spec, output=tmp_path))
    named = happened.index(("rename", "time_series.nc"))
    assert happened[named + 1] == ("flush", tmp_path.name)
    gone = [place for place, (what, name) in enumerate(happened) if what == "remove" and name.endswith(".npz")]
    assert len(gone) == 4
    assert min(gone) > named + 1


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_a_batch(spec: RunSpec, old: Result, tmp_path: Path, after: bool) -> None:
    done = replace(spec, output=tmp_path)
    kill_at(ShardWriter, "keep", 2, done, after=after)
    (tmp_path / ".time_series.nc.abc.tmp").write_bytes(b"half")
    run(done)
    check_holds(tmp_path, old)


def test_a_larger_sweep_computes_only_what_is_new(spec: RunSpec, tmp_path: Path) -> None:
    """The numbers are those of the larger sweep run at once; both sweeps stay in the folder."""
    done = replace(spec, output=tmp_path)
    run(done)
    larger = replace(done, sweep={"drive": [0.05, 0.1, 0.2, 0.25, 0.3, 0.4]})
    computed: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        keep = ShardWriter.keep
        patch.setattr(ShardWriter, "keep", lambda self, shard: (computed.extend(shard.instances), keep(self, shard))[1])
        result = run(larger)
    assert result is not None
    assert sorted(computed) == [4, 7]
    at_once = run(replace(larger, output=None))
    assert at_once is not None
    assert result.time_series.values.tobytes() == at_once.time_series.values.tobytes()
    np.testing.assert_array_equal(result.parameters["drive"], larger.sweep["drive"])
    whole = ratemlx.open_result(tmp_path)
    np.testing.assert_array_equal(whole.parameters["drive"], [0.1, 0.4, 0.2, 0.3, 0.05, 0.25])
    again = run(done)
    assert again is not None
    np.testing.assert_array_equal(again.parameters["drive"], [0.1, 0.4, 0.2, 0.3])


def test_a_run_is_complete_when_all_of_its_sweeps_are(
    spec: RunSpec, old: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that was killed is not forgotten when another one in the same folder is finished."""
    monkeypatch.setattr(sys, "argv", ["ratemlx", "run", "linear", "--sweep", "drive=the large one"])
    first = interrupted(spec, tmp_path)
    monkeypatch.setattr(sys, "argv", ["ratemlx", "run", "linear", "--sweep", "drive=0.7"])
    second, told = replace(first, sweep={"drive": [0.7]}), Told()
    result = run(second, told)
    assert result is not None
    np.testing.assert_array_equal(result.parameters["drive"], [0.7])
    lost = "2 of 4 instances are missing: 2 to 3; this computes them: ratemlx run linear --sweep 'drive=the large one'"
    assert told.warnings == [f"{tmp_path} also holds a sweep that is not finished: {lost}"]
    assert json.loads((tmp_path / "run.json").read_text())["complete"] is False
    with pytest.raises(ResultError, match="is not finished") as caught:
        ratemlx.open_result(tmp_path)
    assert caught.value.hint == lost
    merged = merge(tmp_path)
    assert (merged.n_finished, merged.n_points, merged.complete, merged.missing) == (3, 5, False, (lost,))
    again = run(second, told)
    assert again is not None
    assert again.time_series.values.tobytes() == result.time_series.values.tobytes()
    assert told.warnings == 2 * told.warnings[:1]
    run(first, told)
    assert len(told.warnings) == 2
    assert merge(tmp_path).complete
    assert ratemlx.open_result(tmp_path).time_series[:4].values.tobytes() == old.time_series.values.tobytes()
    np.testing.assert_array_equal(ratemlx.open_result(tmp_path).parameters["drive"], [0.1, 0.4, 0.2, 0.3, 0.7])


def test_a_point_that_stands_twice_is_computed_once(spec: RunSpec, tmp_path: Path) -> None:
    twice = replace(spec, output=tmp_path, sweep={"drive": [0.1, 0.4, 0.1]})
    result = run(twice)
    assert result is not None
    np.testing.assert_array_equal(result.parameters["drive"], [0.1, 0.4, 0.1])
    np.testing.assert_array_equal(result.time_series[0], result.time_series[2])
    assert len(list((tmp_path / "shards").glob("*.npz"))) == 2


def test_without_run_json_nothing_is_taken_over(spec: RunSpec, new: Result, tmp_path: Path) -> None:
    (tmp_path / "time_series.nc").write_bytes(b"of whom")
    other = replace(spec, output=tmp_path, seed=7)
    with pytest.raises(ResultError) as caught:
        run(other)
    message = f"{tmp_path} holds time_series.nc and no run.json, which would say of which run it is"
    assert caught.value.message == message
    run(replace(other, restart=True))
    check_holds(tmp_path, new)


def test_parts_of_a_sweep_are_merged(spec: RunSpec, old: Result, tmp_path: Path) -> None:
    whole = replace(spec, output=tmp_path)
    for index in (0, 2):
        assert run(replace(whole, part=(index, 3))) is None
    merged = merge(tmp_path)
    assert (merged.n_finished, merged.n_points, merged.complete) == (3, 4, False)
    with pytest.raises(ResultError, match="is not finished"):
        ratemlx.open_result(tmp_path)
    run(replace(whole, part=(1, 3)))
    assert merge(tmp_path).complete
    check_holds(tmp_path, old, parts=True)
    assert merge(tmp_path).complete
    shutil.rmtree(tmp_path / "parts")
    (tmp_path / "results.sqlite").unlink()
    assert merge(tmp_path).complete
    check_holds(tmp_path, old)


def test_missing_parts_can_be_run_without_parts(spec: RunSpec, old: Result, tmp_path: Path) -> None:
    whole = replace(spec, output=tmp_path)
    run(replace(whole, part=(1, 2)))
    merge(tmp_path)
    run(whole)
    check_holds(tmp_path, old, parts=True)


def test_parts_of_another_run_are_not_merged(spec: RunSpec, tmp_path: Path) -> None:
    run(replace(spec, output=tmp_path, part=(0, 2)))
    run(replace(spec, output=tmp_path, part=(1, 2), seed=7))
    with pytest.raises(ResultError, match="00001-of-00002 is a part of another run"):
        merge(tmp_path)
    with pytest.raises(ResultError, match="there is no folder"):
        merge(tmp_path / "nowhere")
    with pytest.raises(ResultError, match="there is no run in"):
        merge(tmp_path / "parts")


def test_two_runs_cannot_share_a_folder(
    spec: RunSpec, old: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_lock, "PATIENCE_SECONDS", 0.1)
    done = replace(spec, output=tmp_path)
    host = socket.gethostname()
    with locked(tmp_path), pytest.raises(ResultError) as caught:
        run(done)
    assert caught.value.message == f"another run is writing to {tmp_path} (process {os.getpid()} on {host!r})"
    assert caught.value.hint == (
        f"wait for it, or choose another folder; if that process is gone, delete {tmp_path / LOCK_FILE}"
    )
    (tmp_path / LOCK_FILE).write_text(json.dumps({"pid": os.getppid(), "host": host}))
    with pytest.raises(ResultError, match=f"process {os.getppid()} on"):
        run(done)
    (tmp_path / LOCK_FILE).write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(ResultError, match="process 1 on 'elsewhere'"):
        run(done)
    (tmp_path / LOCK_FILE).write_text("")
    with pytest.raises(ResultError, match="a process that is not known"):
        run(done)
    (tmp_path / LOCK_FILE).unlink()
    run(done)
    check_holds(tmp_path, old)


def test_the_lock_of_a_dead_process_is_taken_over(spec: RunSpec, old: Result, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for pid in (gone.pid, os.getpid()):
        (tmp_path / LOCK_FILE).write_text(json.dumps({"pid": pid, "host": socket.gethostname()}))
        run(replace(spec, output=tmp_path))
        check_holds(tmp_path, old)


def test_the_lock_of_another_process_with_the_same_number_is_taken_over(
    spec: RunSpec, old: Result, tmp_path: Path
) -> None:
    left = {"pid": os.getppid(), "host": socket.gethostname(), "began": 1}
    (tmp_path / LOCK_FILE).write_text(json.dumps(left))
    run(replace(spec, output=tmp_path))
    check_holds(tmp_path, old)


def test_a_requeued_job_takes_over_the_lock_that_it_left_on_another_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / LOCK_FILE
    left = {"pid": 7, "host": "elsewhere", "began": 3, "job": 42, "restarts": 1}
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    for restarts, of_the_same_life in (("1", True), ("2", False)):
        monkeypatch.setenv("SLURM_RESTART_COUNT", restarts)
        lock.write_text(json.dumps(left))
        if of_the_same_life:
            with pytest.raises(ResultError) as caught, locked(tmp_path):
                pass
            assert caught.value.message.endswith("(process 7 on 'elsewhere', job 42)")
            assert "(squeue --jobs=42 tells whether its job still runs)" in (caught.value.hint or "")
        else:
            with locked(tmp_path):
                assert json.loads(lock.read_text())["restarts"] == 2
    assert not lock.exists()


def test_what_was_left_of_making_a_lock_is_removed(tmp_path: Path) -> None:
    """Of processes that are gone, or that have not written a word for long; others are making theirs."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here = socket.gethostname()
    left = {
        ".run.lock.1.ab": json.dumps({"pid": gone.pid, "host": here}),
        f".run.lock.{gone.pid}": json.dumps({"pid": gone.pid, "host": here}),
        ".run.lock.2.ab": "",
        ".run.lock.3.ab": json.dumps({"pid": os.getppid(), "host": here}),
        ".run.lock.4.ab": json.dumps({"pid": 1, "host": "elsewhere"}),
        ".run.lock.5.ab": "",
    }
    for name, text in left.items():
        (tmp_path / name).write_text(text)
    os.utime(tmp_path / ".run.lock.2.ab", (0, 0))
    with locked(tmp_path):
        assert names(tmp_path) == [".run.lock.3.ab", ".run.lock.4.ab", ".run.lock.5.ab", "run.lock"]


def test_a_lock_that_nobody_touches_is_said_to_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / LOCK_FILE
    lock.write_text(json.dumps({"pid": 7, "host": "elsewhere"}))
    os.utime(lock, (time.time() - 7200, time.time() - 7200))
    with pytest.raises(ResultError, match="was to touch that file every minute, and has not for 120"), locked(tmp_path):
        pass
    lock.unlink()
    monkeypatch.setattr(folder_lock, "BEAT_SECONDS", 0.01)
    with locked(tmp_path):
        os.utime(lock, (0, 0))
        deadline = time.monotonic() + 5
        while lock.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert time.time() - lock.stat().st_mtime < 60


def test_a_lock_that_was_taken_from_us_is_not_removed(tmp_path: Path) -> None:
    lock = tmp_path / LOCK_FILE
    with locked(tmp_path):
        lock.write_text(json.dumps({"pid": 7, "host": "elsewhere"}))
    assert lock.exists()


def test_a_process_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    """Also one that has ended, which its parent has not noticed."""
    ending = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"])
    (tmp_path / LOCK_FILE).write_text(json.dumps({"pid": ending.pid, "host": socket.gethostname()}))
    with locked(tmp_path):
        pass
    ending.wait()


def test_axes_that_a_folder_cannot_keep_are_refused(spec: RunSpec, tmp_path: Path) -> None:
    long = replace(spec, sweep={"drive": (0.0, 1.0, 1_000_001)}, output=tmp_path / "out", duration=1.0)
    with pytest.raises(SweepError, match="drive has 1,000,001 values"):
        run(long)
    assert not (tmp_path / "out").exists()
    with pytest.raises(SweepError, match="a part of a sweep needs a folder"):
        run(replace(spec, part=(0, 2)))
