"""A run killed anywhere: what it leaves is never taken for part of another run, and one process writes at a time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.errors import ResultError
from ratemlx.runtime import Connectome, Result, RunSpec, result_folder, run
from ratemlx.runtime.folder_lock import LOCK_FILE, locked

WHOLE = ["parameters.csv", "run.json", "time_series.nc"]


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
    kill_at(result_folder.ResultFolder, "keep", 3, spec)
    assert len(list((folder / "batches").iterdir())) == 2
    return spec


def check_holds(folder: Path, wanted: Result) -> None:
    assert ratemlx.open_result(folder).time_series.values.tobytes() == wanted.time_series.values.tobytes()
    assert names(folder) == WHOLE


@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("after", [False, True])
def test_killed_while_it_clears(spec: RunSpec, old: Result, new: Result, tmp_path: Path, nth: int, after: bool) -> None:
    """Each file that --restart deletes, in turn: never half of each run."""
    first = interrupted(spec, tmp_path)
    other = replace(first, seed=7)
    kill_at(Path, "unlink", nth, replace(other, restart=True), after=after)
    if (tmp_path / "run.json").exists():
        with pytest.raises(ResultError, match="holds another run; what differs: seed"):
            run(other)
        run(first)
        check_holds(tmp_path, old)
        run(replace(other, restart=True))
    else:
        assert not (tmp_path / "batches").exists()
        run(other)
    check_holds(tmp_path, new)


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_the_removal_of_batches(spec: RunSpec, new: Result, tmp_path: Path, after: bool) -> None:
    other = replace(interrupted(spec, tmp_path), seed=7, restart=True)
    kill_at(shutil, "rmtree", 1, other, after=after)
    assert (tmp_path / "run.json").exists()
    run(other)
    check_holds(tmp_path, new)


@pytest.mark.parametrize(
    ("name", "nth"), [("write_json", 1), ("write_parameters", 1), ("write_netcdf", 1), ("write_json", 2)]
)
@pytest.mark.parametrize("after", [False, True])
def test_killed_around_a_file_it_writes(
    spec: RunSpec, old: Result, tmp_path: Path, name: str, nth: int, after: bool
) -> None:
    done = replace(spec, output=tmp_path)
    kill_at(result_folder, name, nth, done, after=after)
    if (name, nth, after) != ("write_json", 2, True):
        with pytest.raises(ResultError):
            ratemlx.open_result(tmp_path)
    run(done)
    check_holds(tmp_path, old)
    assert json.loads((tmp_path / "run.json").read_text())["complete"] is True


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_a_batch(spec: RunSpec, old: Result, tmp_path: Path, after: bool) -> None:
    done = replace(spec, output=tmp_path)
    kill_at(result_folder.ResultFolder, "keep", 2, done, after=after)
    (tmp_path / "batches" / ".0000000003.npz.abc.tmp").write_bytes(b"half")
    (tmp_path / ".time_series.nc.abc.tmp").write_bytes(b"half")
    run(done)
    check_holds(tmp_path, old)


def test_batches_left_over_from_a_complete_run_are_removed(spec: RunSpec, old: Result, tmp_path: Path) -> None:
    done = replace(spec, output=tmp_path)
    kill_at(shutil, "rmtree", 1, done)
    assert names(tmp_path) == ["batches", *WHOLE]
    run(done)
    check_holds(tmp_path, old)


@pytest.mark.parametrize("kept", ["batches/0000000000.npz", "time_series.nc"])
def test_without_run_json_nothing_is_taken_over(spec: RunSpec, new: Result, tmp_path: Path, kept: str) -> None:
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_bytes(b"of whom")
    other = replace(spec, output=tmp_path, seed=7)
    with pytest.raises(ResultError) as caught:
        run(other)
    name = Path(kept).name
    assert caught.value.message == f"{tmp_path} holds {name} and no run.json, which would say of which run it is"
    run(replace(other, restart=True))
    check_holds(tmp_path, new)


def test_a_batch_of_another_run_is_refused(spec: RunSpec, tmp_path: Path) -> None:
    first = interrupted(spec, tmp_path / "first")
    interrupted(replace(spec, seed=7), tmp_path / "second")
    batch = tmp_path / "first" / "batches" / "0000000000.npz"
    shutil.copy(tmp_path / "second" / "batches" / batch.name, batch)
    with pytest.raises(ResultError) as caught:
        run(first)
    assert caught.value.message == f"{batch} is a batch of another run"
    with np.load(batch) as arrays:
        unstamped = {name: arrays[name] for name in arrays.files if name != "run"}
    np.savez(batch, **unstamped)
    with pytest.raises(ResultError, match="is a batch of another run"):
        run(first)


def test_two_runs_cannot_share_a_folder(spec: RunSpec, old: Result, tmp_path: Path) -> None:
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
