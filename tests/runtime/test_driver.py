"""The driver of a generated folder, as a process of its own and in parts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

import ratemlx
from ratemlx.abi import Manifest
from ratemlx.errors import BUG_REPORT, InternalError, SweepError
from ratemlx.resources import templates
from ratemlx.runtime import RunSpec
from ratemlx.runtime.driver import main
from ratemlx.runtime.driver_options import build_parser, spec_of

CHECKOUT = Path(__file__).parents[2]


def spec(manifest: Manifest, *words: str) -> RunSpec:
    return spec_of(Path("folder"), manifest, build_parser(manifest).parse_args(words))


@pytest.fixture
def folder(linear: Path, tmp_path: Path) -> Path:
    """A generated folder: the kernel with its driver."""
    copy = tmp_path / "generated folder"
    shutil.copytree(linear, copy)
    text = (templates() / "driver" / "driver.py.mako").read_text()
    (copy / "driver.py").write_text(text.replace("${manifest.model}", "linear"))
    return copy


def drive(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the driver from another directory."""
    command = [sys.executable, str(folder / "driver.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env=dict(os.environ), timeout=60)


def test_flags_of_the_paper(manifest: Manifest) -> None:
    found = spec(manifest, "-s0", "3", "-s3", "2", "-n", "50", "-dt", "0.5", "-cs", "4", "-r", "76", "--period", "2")
    assert (found.duration, found.dt, found.period, found.conduction_speed) == (100.0, 0.5, 2.0, 4.0)
    assert found.connectome == "tvb:76"
    assert list(found.sweep) == ["coupling", "sigma"]
    np.testing.assert_allclose(found.sweep["coupling"], [0.0, 0.05, 0.1])
    np.testing.assert_allclose(found.sweep["sigma"], [1e-4, 1e-1])


def test_long_options(manifest: Manifest) -> None:
    found = spec(
        manifest,
        *("--sweep", "drive=0,1", "--set", "tau=5", "--seed", "7", "--threads", "1", "--precision", "float64"),
        *("--integrator", "heun", "--normalization", "max", "-cf", "a.csv,b.csv", "--observe", "y", "-w", "--no-noise"),
    )
    assert (found.params, found.seed, found.threads, found.precision) == ({"tau": 5.0}, 7, 1, "float64")
    assert (found.integrator, found.normalization, found.connectome) == ("heun", "max", "a.csv,b.csv")
    assert (found.observe, found.output, found.figure, found.noise) == (("y",), Path("linear_results"), True, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-s0", "0"), "coupling: a range needs at least one point; 0 were asked for"),
        (("-s1", "1000000000000000"), "the sweep has 1,000,000,000,000,000 points"),
        (("-s1", "2", "--sweep", "drive=1,2"), "drive is swept twice"),
        (("-n", "0"), "-n must be at least 1; it is 0"),
        (("--set", "tau"), "cannot read the setting 'tau'"),
    ],
)
def test_options_that_are_refused(manifest: Manifest, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(SweepError) as caught:
        spec(manifest, *words)
    assert caught.value.message.startswith(message)


def test_it_runs_from_any_directory(folder: Path) -> None:
    done = drive(folder, "-s0", "2", "--sweep", "drive=0.5", "-n", "20", "-p", "-v")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["instance", "coupling", "(1/ms)", "drive", "mean", "x", "mean", "y", "status"]
    assert [line.split()[-1] for line in lines[1:3]] == ["ok", "ok"]
    assert lines[3:] == ["means are over the second half of the run and over regions", "figure: linear_traces.png"]
    assert (folder.parent / "linear_traces.png").stat().st_size > 10_000
    told = done.stderr.splitlines()
    assert told[0].startswith("linear on tvb:68 (68 regions, 1,244 tracts), float32, euler, on ")
    assert told[1:4] == [
        "2 instances: coupling (2) x drive (1)",
        "20 ms in 200 steps of 0.1 ms; 20 samples of 1 ms of x, y",
        "conduction speed 3 mm/ms: delays of 27 to 843 steps, blocks of 16 steps",
    ]


def test_the_driver_of_a_cuda_kernel_runs_on_cuda_devices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = CHECKOUT / "generated" / "kuramoto" / "cuda"
    assert main(folder, ["-n", "2", "--device", "cpu", "--threads", "1"]) == 2
    assert " runs cpp kernels" in capsys.readouterr().err
    assert main(folder, ["-n", "2", "--device", "cuda-emulation"]) == 0
    assert main(folder, ["--device", "cuda-emulation", "-g"]) == 0
    assert "cuda-emulation: CUDA emulated on " in capsys.readouterr().out


def test_without_the_runtime_a_driver_says_what_to_install() -> None:
    driver = CHECKOUT / "generated" / "kuramoto" / "cpp" / "driver.py"
    done = subprocess.run([sys.executable, "-I", "-S", str(driver)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: No module named 'ratemlx'\n  hint: this driver needs the runtime of ratemlx: pip install ratemlx\n"
    )


def test_ranking_by_the_flags_of_the_paper(folder: Path) -> None:
    """-gs tells the best, with -w keeps their series; what fitness leaves out is said in any case."""
    fc = np.corrcoef(np.random.default_rng(2).standard_normal((68, 90)))
    np.save(folder.parent / "fc.npy", fc)
    words = (
        "--sweep",
        "drive=0:1:12",
        "-n",
        "60",
        "-gs",
        "-ff",
        "fc.npy",
        "--reference-order",
        "connectome",
        "-x",
        "1",
    )
    told = drive(folder, *words)
    assert told.returncode == 0, told.stderr
    assert told.stderr == "note: fitness compares matrices off their diagonals\n"
    lines = told.stdout.splitlines()
    assert lines[13].split() == ["best", "instance", "drive", "fitness"]
    assert len(lines) == 13 + 11
    kept = drive(folder, *words, "-w", "-o", "out")
    assert "ratemlx export out best.nc --table best" in kept.stdout
    best = ratemlx.open_result(folder.parent / "out").best
    assert best is not None
    assert best.instance.values.tolist() == [int(line.split()[1]) for line in lines[14:]]
    assert best["series_x"].shape == (10, 60, 68)
    off = ~np.eye(68, dtype=bool)
    wanted = [np.corrcoef(one[off], fc[off])[0, 1] for one in best["FC_x"].values]
    np.testing.assert_allclose(best["fitness"].values, wanted, rtol=1e-5)


def test_results_in_a_folder(folder: Path) -> None:
    done = drive(folder, "--sweep", "drive=1:2:2", "-n", "5", "-o", "out")
    assert (done.returncode, done.stdout) == (0, "results: out\n")
    assert done.stderr == "warning: drive = 1 to 2 leaves the model's range of 0 to 1\n"
    assert ratemlx.open_result(folder.parent / "out").time_series.shape == (2, 2, 5, 68)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep", "drvie=0:1:3"), "error: linear has no parameter 'drvie'\n  hint: did you mean drive?\n"),
        (("-cf", "nowhere.zip"), "error: there is no connectome 'nowhere.zip'\n"),
        (("--plan", "-cs", "1e-5"), "error: 16 instances at a conduction speed of 1e-05 mm/ms need "),
        (("--threads", "0"), "error: at least one thread is needed; 0 were asked for\n"),
    ],
)
def test_mistakes_end_in_one_message(
    linear: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.process_time()
    assert main(linear, words) == 2
    assert time.process_time() - started < 1.0
    assert capsys.readouterr().err.startswith(message)


def test_a_folder_that_is_no_generated_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path, []) == 2
    assert capsys.readouterr().err == (
        f"error: no generated kernel in {tmp_path}: No such file or directory\n"
        "  hint: ratemlx generate MODEL writes one\n"
    )


def test_the_plan_and_the_device(linear: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(linear, ["--plan", "-s2", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == (
        "conduction speeds 1 to 10 mm/ms (4 values): delays of 8 to 2,529 steps, blocks of 8 to 16 steps"
    )
    assert lines[4].startswith("4 batches of up to 1, ")
    assert main(linear, ["-g", "--threads", "1"]) == 0
    assert ", 1 thread; " in capsys.readouterr().out.splitlines()[0]


def test_help_is_quick_and_names_the_parameters(linear: Path) -> None:
    code = """
import sys
from pathlib import Path
from ratemlx.runtime.driver import main
try:
    main(Path(sys.argv[1]), ["-h"])
finally:
    assert not {"xarray", "matplotlib", "sympy", "lxml", "mako"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(linear)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "N points of conduction_speed over its range" in done.stdout


def test_a_bug_says_that_it_is_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> NoReturn:
        raise InternalError("a row too many")

    monkeypatch.setattr("ratemlx.runtime.driver_options.spec_of", fail)
    assert main(folder, []) == 70
    told = capsys.readouterr().err
    assert told.startswith("Traceback")
    assert told.endswith(f"{BUG_REPORT}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-dt", "1e-320"), "error: period (1 ms) is more than 2,147,483,584 times dt (9.99989e-321 ms)"),
        (("-n", "9" * 400), "error: -n must be at most 2,147,483,584"),
        (("--period", "1e308", "-n", "10"), "error: duration must be above zero; it is inf ms"),
        (("--sweep", "drive=0:1:1000000000000000"), "error: the sweep has 1,000,000,000,000,000 points"),
    ],
)
def test_numbers_beyond_all_measure(
    folder: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(folder, words) == 2
    assert capsys.readouterr().err.startswith(message)
