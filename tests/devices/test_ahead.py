"""Compiling ahead: a run finds in the cache all that it loads, whatever its options, and compiles nothing itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ratemlx.abi import BLOCK_SIZES
from ratemlx.cli import main
from ratemlx.errors import DeviceError
from ratemlx.runtime.ahead import loaded_by
from ratemlx.runtime.devices import cuda_open
from ratemlx.runtime.devices.cuda_architecture import Architecture
from ratemlx.runtime.devices.cuda_compile import DeviceCode
from ratemlx.runtime.driver import main as drive
from ratemlx.runtime.spec import prepare
from tests.support.fake_cuda import DriverCalls, emulated
from tests.support.shipped import GENERATED, shipped

REPORT = """\
ptxas info    : Compiling entry function 'advance_kernel' for 'sm_90'
    0 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 64 registers, 2048 bytes smem
ptxas info    : Compiling entry function 'start_kernel' for 'sm_90'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 22 registers
"""
COMPILED = re.compile(r"(\S+)(?: for blocks of (\d+))? +\S.*? +\d+\.\d s( +64 registers, 12 bytes spilled)?")


@dataclass
class HostCompiler:
    """Makes what the fake driver takes for device code, and counts."""

    made: list[str] = field(default_factory=list)
    version: str = ""
    settings: tuple[str, ...] = ()

    def compile(self, source: Path, options: Sequence[str]) -> DeviceCode:
        macros = dict(option[2:].split("=", 1) for option in options if option.startswith("-D"))
        architecture = next(option for option in options if option.startswith("-arch="))
        self.made.append(f"{source.stem} {architecture}")
        return DeviceCode(emulated(source, macros, Architecture(9, 0)), REPORT)

    def found(self) -> HostCompiler:
        return self


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostCompiler:
    """A GPU that the fake driver plays, and a compiler for it that has made nothing yet."""
    compiler = HostCompiler(version=f"fake-{tmp_path.name}")
    monkeypatch.setattr(cuda_open, "_open", lambda _, number: DriverCalls(number))
    monkeypatch.setattr(cuda_open, "all_compilers", lambda: (compiler.found, compiler.found))
    monkeypatch.delenv("RATEMLX_CUDA_ARCH", raising=False)
    return compiler


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the C++ compiler has made a library since the test began."""
    command, log = tmp_path / "c++", tmp_path / "calls"
    log.touch()
    command.write_text(f'#!/bin/sh\ncase "$*" in *-shared*) echo >> {log};; esac\nexec g++ "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("CXX", str(command))
    return lambda: len(log.read_text())


def compiled(said: str) -> list[tuple[str, str]]:
    """Names and sizes of blocks of what was compiled."""
    found = (COMPILED.fullmatch(line) for line in said.splitlines())
    return [(match[1], match[2] or "") for match in found if match]


def test_a_run_on_the_cpu(
    calls: Callable[[], int], cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savetxt(tmp_path / "regions.csv", np.linspace(14, 15, 66))
    command = ["run", "montbrio", "--connectome", "tvb:66", "--sweep", "conduction_speed=3,100", "--duration", "60"]
    command += ["--precision", "float64", "--history", "float32", "--integrator", "heun", "--common-noise"]
    command += ["--set", f"J=@{tmp_path / 'regions.csv'}", "--set", "Delta=0.7", "--observe", "r"]
    command += ["--metrics", "mean_FC", "--bold", "10", "-o", str(tmp_path / "run")]
    assert main([*command, "--compile-only"]) == 0
    said = capsys.readouterr().out
    assert compiled(said) == [("montbrio", "16"), ("montbrio", "2"), ("moments", ""), ("balloon", "")]
    assert said.startswith("compiling for ")
    assert said.endswith(f"cache: {cache / 'kernels'}\n")
    assert calls() == 4
    assert not (tmp_path / "run").exists()
    assert main([*command, "--compile-only"]) == 0
    assert capsys.readouterr().out.count("was there") == 4
    assert main(command) == 0
    assert calls() == 4


def test_a_driver(calls: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("course.csv").write_text("0, 0\n5, 1e-4\n")
    words = ["-n", "10", "-r", "66", "--no-noise", "--set", "g_L=9", "--stimulus", "stimulus_ex=@course.csv", "-x", "1"]
    folder = GENERATED / "adex_first_order" / "cpp"
    assert drive(folder, [*words, "--compile-only"]) == 0
    assert calls() == 1
    assert drive(folder, words) == 0
    assert calls() == 1
    with pytest.raises(SystemExit):
        drive(folder, [*words, "--compile-only", "--plan"])


@pytest.mark.parametrize("named", [True, False])
def test_a_run_on_a_gpu(
    named: bool, gpu: HostCompiler, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name of its architecture, where there is no GPU, or by the GPU that is there."""
    command = ["run", "montbrio", "--connectome", "tvb:66", "--sweep", "conduction_speed=3,100", "--duration", "20"]
    command += ["--target", "cuda", "--history", "float16", "--metrics", "mean_FC", "-o", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        if named:
            patch.setattr(cuda_open, "_open", None)
        assert main([*command, "--compile-only", *(["--arch", "sm_90"] if named else [])]) == 0
    said = capsys.readouterr().out
    assert compiled(said) == [("montbrio", "16"), ("montbrio", "2"), ("moments", "")]
    assert said.startswith(f"compiling for sm_90 with {gpu.version}\n")
    assert said.count("s   64 registers, 12 bytes spilled\n") == 3
    made = [f"{name} -arch=sm_90" for name in ("montbrio", "montbrio", "moments")]
    assert gpu.made == made
    assert main(command) == 0
    assert gpu.made == made


def test_a_machine_without_a_gpu_has_to_be_told_which_one(
    gpu: HostCompiler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def there_is_none(_: str, __: int) -> DriverCalls:
        raise DeviceError("there is no NVIDIA GPU")

    monkeypatch.setattr(cuda_open, "_open", there_is_none)
    command = ["run", "montbrio", "--target", "cuda", "--compile-only"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "there is no GPU here to compile for: there is no NVIDIA GPU" in said
    assert "--arch sm_80 (A100)" in said
    monkeypatch.setenv("RATEMLX_CUDA_ARCH", "8.6")
    assert main(command) == 0
    assert gpu.made == ["montbrio -arch=sm_86"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "cuda", "--arch", "hopper"], "'hopper' is no GPU architecture"),
        (["--target", "cuda", "--arch", "sm_52"], "sm_52 is too old"),
        (["--arch", "sm_90"], "sm_90 is the architecture of GPUs, and cpu is none"),
        (["--plan-only"], "goes without --compile-only"),
        (["--target", "cuda", "--arch", "sm_90"], "no CUDA compiler is found: none here; none there"),
        (["--set", "nonsense=3"], "nonsense"),
    ],
)
def test_what_cannot_be_compiled(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(where: str) -> Callable[[], HostCompiler]:
        def find() -> HostCompiler:
            raise DeviceError(f"none {where}")

        return find

    monkeypatch.setattr(cuda_open, "all_compilers", lambda: (missing("here"), missing("there")))
    assert main(["run", "montbrio", "--compile-only", "--duration", "7", "--integrator", "rk4", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_machine_without_a_cpp_compiler(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CXX", "/nowhere/c++")
    assert main(["run", "montbrio", "--compile-only"]) == 2
    assert "there is no C++ compiler: /nowhere/c++ is not found" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["cpu", "cuda-emulation"])
def test_every_size_of_blocks_that_speeds_ask_for(target: str) -> None:
    """Each once, however many speeds there are."""
    speeds = np.linspace(1, 1000, 40)
    job = prepare(shipped("montbrio", target, sweep={"conduction_speed": speeds}, dt=0.2, period=1.0))
    blocks = [item.definitions["RATEMLX_BLOCK"] for item in loaded_by(job, 32)]
    assert len(blocks) == len(set(blocks)) > 2
    assert set(blocks) <= {str(size) for size in BLOCK_SIZES}


@pytest.mark.parametrize("package", ["pycuda", "cuda-core"])
def test_real_compilers(package: str, tmp_path: Path) -> None:
    """In a process of its own, for a real NVRTC cannot share one with the fake driver."""
    words = ["run", "montbrio", "--compile-only", "--arch", "sm_90", "--target", f"cuda:{package}", "--bold", "100"]
    code = f"import sys, os\nos.environ['RATEMLX_CACHE_DIR'] = {str(tmp_path)!r}\nfrom ratemlx.cli import main\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main({words!r}))"], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    head, kernel, program, folder = done.stdout.splitlines()
    compiler = "nvcc" if package == "pycuda" else "nvrtc"
    assert head.startswith(f"compiling for sm_90 with {compiler}-")
    assert re.fullmatch(r"montbrio for blocks of 16  sm_90 +\d+\.\d s +\d+ registers, nothing spilled", kernel)
    assert re.fullmatch(r"balloon +sm_90 +\d+\.\d s +\d+ registers, nothing spilled", program)
    assert folder == f"cache: {tmp_path / 'kernels'}"
    names = sorted(path.name.partition("-")[0] for path in (tmp_path / "kernels").glob(f"*-{compiler}-*.cubin"))
    assert names == ["balloon", "montbrio"]
