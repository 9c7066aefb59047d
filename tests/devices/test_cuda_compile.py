"""Device code in the cache: what it is named by, who makes it, and what is said when nobody can. No GPU is needed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from ratemlx.abi import Manifest, definitions
from ratemlx.errors import DeviceError, KernelError
from ratemlx.observables import programs
from ratemlx.observables.layout import Layout
from ratemlx.runtime import run
from ratemlx.runtime.cache import cache_folder
from ratemlx.runtime.devices.compiled import made_once
from ratemlx.runtime.devices.cuda_architecture import Architecture
from ratemlx.runtime.devices.cuda_compile import (
    FLAGS,
    CompilationFailed,
    DeviceCode,
    Find,
    compile_for,
    default_variants,
    device_code,
)
from ratemlx.runtime.devices.emulation import EmulationDevice
from ratemlx.runtime.devices.nvcc import Nvcc, find_nvcc
from ratemlx.runtime.devices.nvrtc import find_nvrtc
from tests.support.shipped import GENERATED, shipped

HOPPER, AMPERE = Architecture(9, 0), Architecture(8, 0)
FOLDER = GENERATED / "montbrio" / "cuda"


@dataclass
class Scribe:
    """A compiler that writes down what it is asked for."""

    version: str = "scribe-1.0"
    settings: tuple[str, ...] = ()
    refusal: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def compile(self, source: Path, options: Sequence[str]) -> DeviceCode:
        self.asked.append(tuple(options))
        if self.refusal:
            raise CompilationFailed(self.refusal)
        return DeviceCode(source.read_bytes() + " ".join(options).encode())

    def found(self) -> Scribe:
        return self


def absent() -> Nvcc:
    raise DeviceError("there is no nvcc")


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "kernel.cu"
    path.write_text(f"// the kernel of {tmp_path.name}\n")
    return path


def test_it_is_compiled_once_for_each_thing_that_decides(kernel: Path) -> None:
    scribe = Scribe()
    first = device_code(kernel, {"RATEMLX_BLOCK": "16"}, HOPPER, [scribe.found])
    assert device_code(kernel, {"RATEMLX_BLOCK": "16"}, HOPPER, [absent, scribe.found]) == first
    assert scribe.asked == [(*FLAGS, "-arch=sm_90", "-DRATEMLX_BLOCK=16")]
    others = [
        device_code(kernel, {"RATEMLX_BLOCK": "8"}, HOPPER, [scribe.found]),
        device_code(kernel, {"RATEMLX_BLOCK": "16"}, AMPERE, [scribe.found]),
        device_code(kernel, {"RATEMLX_BLOCK": "16"}, HOPPER, [Scribe("scribe-1.1").found]),
        device_code(kernel, {"RATEMLX_BLOCK": "16"}, HOPPER, [Scribe(settings=("FLAGS=-g",)).found]),
        device_code(kernel, {"RATEMLX_BLOCK": "16", "RATEMLX_FAST_MATH": "1"}, HOPPER, [scribe.found]),
    ]
    kernel.write_text("// another kernel\n")
    others.append(device_code(kernel, {"RATEMLX_BLOCK": "16"}, HOPPER, [scribe.found]))
    assert len({first, *others}) == 7
    assert "-prec-div=false" in scribe.asked[3]


def test_a_machine_without_a_compiler_takes_what_another_one_left(kernel: Path) -> None:
    left = device_code(kernel, {}, HOPPER, [Scribe().found])
    assert device_code(kernel, {}, HOPPER, [absent]) == left
    with pytest.raises(DeviceError, match="no CUDA compiler is found: there is no nvcc") as caught:
        device_code(kernel, {}, AMPERE, [absent])
    assert "CUDA_HOME" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ("kernel.cu(1): error: expected a ;", "kernel.cu does not compile:\n  kernel.cu(1): error: expected a ;"),
        (
            "ptxas error: Entry function 'advance_kernel' uses too much shared data (0x10000 bytes, 0xc000 max)",
            "48 KiB",
        ),
        ("nvcc fatal   : Unsupported gpu architecture 'compute_70'", "scribe-1.0 does not know sm_90"),
        ("nvrtc: error: invalid value for --gpu-architecture (-arch)", "scribe-1.0 does not know sm_90"),
    ],
)
def test_what_a_compiler_refuses(refusal: str, message: str, kernel: Path) -> None:
    with pytest.raises(KernelError) as caught:
        device_code(kernel, {}, HOPPER, [Scribe(refusal=refusal).found])
    assert message in caught.value.message
    assert not list(cache_folder("kernels").glob(f"*{kernel.stem}*.tmp"))


def test_processes_do_not_make_the_same_thing_twice(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ratemlx.runtime.devices.compiled import made_once\n"
        "def make(path):\n"
        "    open(sys.argv[2], 'a').write('made\\n'); time.sleep(0.3); path.write_text('whole')\n"
        "print(made_once(Path(sys.argv[1]), make).read_text())"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "thing"), str(tmp_path / "log")]
    processes = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(3)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["whole\n"] * 3
    assert (tmp_path / "log").read_text() == "made\n"


def test_who_waits_for_a_process_that_is_killed_makes_it_itself(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ratemlx.runtime.devices.compiled import made_once\n"
        "def make(path):\n"
        "    path.write_text('half'); print('making', flush=True); time.sleep(60)\n"
        "made_once(Path(sys.argv[1]), make)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "thing")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "making\n"
        threading.Timer(0.3, process.kill).start()
        started = time.monotonic()
        made = made_once(tmp_path / "thing", lambda path: path.write_text("whole"))
    assert made.read_text() == "whole"
    assert 0.3 <= time.monotonic() - started < 10


def test_where_the_cache_has_no_locks_the_computer_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on parallel file systems that are mounted without them."""
    plain = fcntl.flock
    locked: list[str] = []

    def flock(stream: IO[str], operation: int) -> None:
        if stream.name.startswith(str(cache_folder("locks"))):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        locked.append(stream.name)
        plain(stream, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert made_once(tmp_path / "thing", lambda path: path.write_text("whole")).read_text() == "whole"
    folder = tmp_path / f"ratemlx-locks-{os.getuid()}"
    assert [Path(name).parent for name in locked] == [folder]
    assert folder.stat().st_mode & 0o777 == 0o700
    # Another user's folder, or anything else in its place, is left alone.
    shutil.rmtree(folder)
    folder.symlink_to(tmp_path)
    assert made_once(tmp_path / "other", lambda path: path.write_text("whole")).read_text() == "whole"
    assert len(locked) == 1


def test_a_compiler_that_is_killed_is_told(tmp_path: Path) -> None:
    command = tmp_path / "nvcc"
    command.write_text("#!/bin/sh\nkill -9 $$\n")
    command.chmod(0o755)
    (tmp_path / "killed.cu").write_text("// never compiled\n")
    with pytest.raises(KernelError, match="nvcc was ended by SIGKILL"):
        device_code(tmp_path / "killed.cu", {}, HOPPER, [lambda: Nvcc(str(command), "1.0")])


def test_a_failure_leaves_nothing_and_the_next_one_may_try(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise CompilationFailed("no")

    with pytest.raises(CompilationFailed):
        made_once(tmp_path / "thing", fail)
    assert list(tmp_path.iterdir()) == []
    assert made_once(tmp_path / "thing", lambda path: path.write_text("whole") and None).read_text() == "whole"


def test_only_cuda_folders_are_compiled_for_gpus() -> None:
    with pytest.raises(KernelError, match="holds a cpp kernel, and GPUs run cuda kernels"):
        compile_for(GENERATED / "montbrio" / "cpp", "sm_90", {}, [Scribe().found])


def test_the_default_variants_cover_all_sizes_of_blocks() -> None:
    found = list(default_variants(Manifest.load(FOLDER)))
    assert [item["RATEMLX_BLOCK"] for item in found] == ["16", "8", "4", "2", "1"]
    assert [item.get("RATEMLX_FORM") for item in found] == [None, None, None, "1", "1"]


@pytest.mark.parametrize("dt", [0.1, 0.4, 1.0, 8.0])
def test_the_default_variants_are_what_a_run_loads(dt: float, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[dict[str, str]] = []

    def load(_: object, folder: Path, manifest: Manifest, chosen: dict[str, str]) -> None:  # noqa: ARG001
        loaded.append(dict(chosen))
        raise KernelError("seen enough")

    monkeypatch.setattr(EmulationDevice, "load", load)
    with pytest.raises(KernelError, match="seen enough"):
        run(shipped("montbrio", "cuda-emulation", dt=dt, period=dt, duration=10 * dt))
    assert loaded[0] in list(default_variants(Manifest.load(FOLDER)))


def test_nvcc_is_found_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "bin" / "nvcc"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho 'Cuda compilation tools, release 12.4, V12.4.131'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    monkeypatch.delenv("NVCC", raising=False)
    assert find_nvcc() == Nvcc(str(command), "12.4.131")
    assert find_nvcc().version == "nvcc-12.4.131"
    monkeypatch.setenv("NVCC_APPEND_FLAGS", "-g")
    assert find_nvcc().settings == ("NVCC_APPEND_FLAGS=-g",)
    monkeypatch.setenv("NVCC", str(tmp_path / "other"))
    with pytest.raises(DeviceError, match=r"there is no .*other"):
        find_nvcc()


def in_a_process_of_its_own(check: str, find: Find, word: str) -> None:
    """A real NVRTC cannot share a process with the fake driver of other tests: it ends in a segmentation fault."""
    program = f"import tests.devices.test_cuda_compile as t; t.{check}(t.{find.__name__}, {word!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("find", [find_nvcc, find_nvrtc])
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_kernels_and_programs_compile(find: Find, architecture: str) -> None:
    in_a_process_of_its_own("check_compiles", find, architecture)


def check_compiles(compiler: Find, architecture: str) -> None:
    manifest = Manifest.load(FOLDER)
    cubin = compile_for(
        FOLDER, architecture, definitions(manifest, lanes=32, block=16, precision="float64"), [compiler]
    )
    code = cubin.read_bytes()
    assert code.startswith(b"\x7fELF")
    assert b"advance_kernel" in code
    stamp = cubin.stat().st_mtime_ns
    again = compile_for(
        FOLDER, architecture, definitions(manifest, lanes=32, block=16, precision="float64"), [compiler]
    )
    assert (again, again.stat().st_mtime_ns) == (cubin, stamp)
    layout = Layout(n_regions=68, exposures=("E",), period=1.0, n_samples=2, lanes=32, dtype=np.dtype(np.float32))
    chosen = programs.definitions(layout, "cuda")
    found = [device_code(programs.source(name), chosen, HOPPER, [compiler]) for name in programs.SOURCES]
    assert all(path.read_bytes().startswith(b"\x7fELF") for path in found)


@pytest.mark.parametrize("find", [find_nvcc, find_nvrtc])
def test_messages_of_real_compilers(find: Find, kernel: Path) -> None:
    in_a_process_of_its_own("check_messages", find, str(kernel))


def check_messages(compiler: Find, path: str) -> None:
    kernel = Path(path)
    kernel.write_text("int broken( {\n")
    with pytest.raises(KernelError) as caught:
        device_code(kernel, {}, HOPPER, [compiler])
    assert caught.value.message.startswith("kernel.cu does not compile:\n")
    assert "error" in caught.value.message
    with pytest.raises(KernelError, match="does not know sm_77"):
        device_code(FOLDER / "montbrio.cu", {}, Architecture(7, 7), [compiler])
