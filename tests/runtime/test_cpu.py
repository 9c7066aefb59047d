"""The CPU as a device: compiling, caching, loading, and what is said when that fails."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from ratemlx import abi
from ratemlx.errors import DeviceError, KernelError
from ratemlx.runtime import Connectome, RunSpec
from ratemlx.runtime.cache import cache_folder, replacing
from ratemlx.runtime.devices import cpu, open_device
from ratemlx.runtime.devices.compiler import FLAGS, compile_library, find_compiler, vector_bytes
from ratemlx.runtime.devices.cpu import CpuDevice, CpuQueue
from ratemlx.runtime.engine import Hooks, run_plan
from ratemlx.runtime.plan import Limits, make_plan
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.rates import expected_rate, remember_rate
from ratemlx.runtime.spec import prepare


@pytest.fixture
def folder(linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the kernel, and an empty cache."""
    monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copytree(linear, tmp_path / "linear")
    return tmp_path / "linear"


@pytest.fixture
def chosen(manifest: abi.Manifest) -> dict[str, str]:
    return abi.definitions(manifest, lanes=1, block=1)


def libraries() -> list[str]:
    return sorted(path.name for path in cache_folder("kernels").iterdir())


def test_flags_keep_infinities() -> None:
    assert "-ffast-math" not in FLAGS
    assert "-ffp-contract=fast" in FLAGS


def test_a_library_is_compiled_once_per_content(folder: Path, chosen: dict[str, str]) -> None:
    source = folder / "linear.cpp"
    first = compile_library(source, chosen)
    stamp = first.stat().st_mtime_ns
    assert compile_library(source, chosen) == first
    assert first.stat().st_mtime_ns == stamp
    other = compile_library(source, {**chosen, "RATEMLX_BLOCK": "2"})
    source.write_text(source.read_text() + "// changed\n")
    changed = compile_library(source, chosen)
    assert sorted({first.name, other.name, changed.name}) == libraries()
    assert len(libraries()) == 3


def test_processes_may_compile_at_the_same_time(folder: Path, chosen: dict[str, str]) -> None:
    code = (
        "import sys, json; from pathlib import Path; from ratemlx.runtime.devices.compiler import compile_library; "
        "print(compile_library(Path(sys.argv[1]), json.loads(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(folder / "linear.cpp"), json.dumps(chosen)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(3)]
    answers = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [Path(answer).name for answer in answers] == libraries()


def test_messages_of_the_compiler(folder: Path, chosen: dict[str, str]) -> None:
    (folder / "linear.cpp").write_text("int broken( {\n" * 30)
    with pytest.raises(KernelError) as caught:
        compile_library(folder / "linear.cpp", chosen)
    lines = caught.value.message.splitlines()
    assert lines[0] == "linear.cpp does not compile:"
    assert "linear.cpp:2:1: error: " in lines[1]
    assert len(lines) == 14
    assert lines[-1].endswith(" more lines")
    assert caught.value.hint == f"compiler: {find_compiler().version}"
    assert libraries() == []


def test_a_missing_compiler(folder: Path, chosen: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -v")
    with pytest.raises(DeviceError) as caught:
        compile_library(folder / "linear.cpp", chosen)
    assert caught.value.message == "there is no C++ compiler: no-such-compiler is not found"
    assert caught.value.hint is not None
    assert "apt install g++" in caught.value.hint


def test_a_damaged_library_is_compiled_anew(folder: Path, manifest: abi.Manifest, chosen: dict[str, str]) -> None:
    library = compile_library(folder / "linear.cpp", chosen)
    library.write_bytes(b"not a library")
    device = CpuDevice(1)
    device.load(folder, manifest, chosen)
    device.close()
    assert library.read_bytes()[:4] == b"\x7fELF"


VERSION = f"linear.cpp does not export version {abi.ABI_VERSION} of the kernel"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("int nothing;", VERSION),
        (
            'extern "C" int ratemlx_abi_version() { return 99; }',
            VERSION,
        ),
        (
            'extern "C" int ratemlx_abi_version() { return 2; }',
            VERSION,
        ),
    ],
)
def test_libraries_of_another_kind(
    folder: Path, manifest: abi.Manifest, chosen: dict[str, str], source: str, message: str
) -> None:
    (folder / "linear.cpp").write_text(source)
    with pytest.raises(KernelError) as caught:
        CpuDevice(1).load(folder, manifest, chosen)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": "../linear.cpp"}, "the manifest names a kernel outside its folder: '../linear.cpp'"),
        ({"target": "cuda"}, "linear holds a cuda kernel; "),
        ({"kernel": "other.cpp"}, "other.cpp cannot be read: No such file or directory"),
    ],
)
def test_manifests_that_do_not_fit(folder: Path, chosen: dict[str, str], changes: dict[str, str], message: str) -> None:
    data = json.loads((folder / "manifest.json").read_text())
    with pytest.raises(KernelError) as caught:
        CpuDevice(1).load(folder, abi.Manifest.from_json(json.dumps({**data, **changes})), chosen)
    assert message in caught.value.message


def test_lanes_fill_a_vector_register() -> None:
    device = CpuDevice(1)
    width = vector_bytes(find_compiler())
    assert width in (16, 32, 64)
    assert (device.lanes("float32"), device.lanes("float64")) == (width // 4, width // 8)
    assert device.allocate((3, 5), np.dtype("float32")).address % 64 == 0


def test_unknown_devices() -> None:
    with pytest.raises(DeviceError) as caught:
        open_device("abacus")
    assert caught.value.message == "there is no device 'abacus'"


def test_replacing_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "kept") as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "old"


def test_a_cache_that_cannot_be_written(
    folder: Path, chosen: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where a folder should be, and a kind of file that nobody may create."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(DeviceError) as caught:
        compile_library(folder / "linear.cpp", chosen)
    assert caught.value.message == f"the cache {tmp_path / 'file' / 'kernels'} cannot be written: Not a directory"
    assert caught.value.hint == "set RATEMLX_CACHE_DIR to a folder that can be written"
    monkeypatch.setenv("RATEMLX_CACHE_DIR", "/proc/self")
    with pytest.raises(DeviceError, match="the cache /proc/self/kernels cannot be written"):
        cache_folder("kernels")


def test_a_rate_that_cannot_be_kept_is_forgotten(
    linear: Path, small: Connectome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = open_device("cpu", 1)
    try:
        job = prepare(RunSpec(folder=linear, connectome=small))
        monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path / "empty"))
        guessed = expected_rate(job, device, 4)
        (tmp_path / "file").touch()
        for place in ("file", "full"):
            monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path / place))
            monkeypatch.setattr("ratemlx.runtime.rates.replacing", _no_space)
            remember_rate(job, device, 4, 123.0)
            assert expected_rate(job, device, 4) == guessed
    finally:
        device.close()


def _no_space(path: Path) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_an_interrupt_waits_for_kernels(linear: Path, small: Connectome) -> None:
    """Buffers are freed after it, and no thread may write to them then."""

    def interrupt() -> NoReturn:
        raise KeyboardInterrupt

    queues: list[CpuQueue] = []

    class Watched(CpuDevice):
        def queue(self) -> CpuQueue:
            queues.append(super().queue())
            return queues[-1]

    device = Watched(1)
    try:
        job = prepare(RunSpec(folder=linear, connectome=small, duration=10.0))
        limits = Limits(lanes=1, workers=1, free_bytes=1 << 30, rate=1e7)
        plan = make_plan(
            job.manifest,
            job.edges,
            job.timing,
            job.parameters.speeds,
            precision="float32",
            n_observed=2,
            limits=limits,
        )
        with pytest.raises(KeyboardInterrupt):
            run_plan(job, plan, device, Hooks(keep=lambda _: None, check=interrupt), Progress())
        (queue,) = queues
        assert queue.idle
    finally:
        device.close()


def test_many_tiles_are_handed_out_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few calls of all tiles, each tile once, and every stretch in the order of calls."""
    monkeypatch.setattr(cpu, "MOST_CALLS", 4)
    seen: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}
    with ThreadPoolExecutor(3) as pool:
        queue = CpuQueue(pool)
        order: list[tuple[str, int]] = []

        def call(name: str, begin: int, end: int) -> None:
            seen[name].append((begin, end))
            order.append((name, begin))

        for name in seen:
            queue.submit(10, call, name)
        queue.synchronize()
    assert all(sorted(calls) == [(0, 3), (3, 6), (6, 9), (9, 10)] for calls in seen.values())
    assert all(order.index(("a", begin)) < order.index(("b", begin)) for begin in (0, 3, 6, 9))


def test_an_interrupt_waits_for_all_calls_of_a_tile() -> None:
    """Also for those before the latest, which run while that one still waits and is cancelled."""
    device = CpuDevice(2)
    queue = device.queue()
    begun, finished = threading.Event(), []

    def slow(_: object, begin: int, end: int) -> None:
        begun.set()
        time.sleep(0.3)
        finished.append((begin, end))

    try:
        for _ in range(3):
            queue.submit(1, slow, None)
        begun.wait()
        latest = queue._latest[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(latest, "result", _interrupted)
            with pytest.raises(KeyboardInterrupt):
                queue.synchronize()
        assert queue.idle
        assert len(finished) in (1, 2), "what ran was waited for, what waited was cancelled"
        count = len(finished)
        time.sleep(0.4)
        assert len(finished) == count
    finally:
        device.close()


def _interrupted() -> NoReturn:
    raise KeyboardInterrupt
