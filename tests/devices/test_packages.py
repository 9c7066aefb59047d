"""PyCUDA and cuda-core themselves over the fake driver: the real packages make the calls.

They are loaded into a process of their own, whose libcuda is the fake one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT
from tests.support.fake_cuda import SOURCE, driver_library

SIMULATE = """
import sys
from dataclasses import replace
import numpy as np
from ratemlx.runtime import run
from ratemlx.runtime.devices import cuda_open
from ratemlx.runtime.devices.cuda import CudaDevice
from tests.support.fake_cuda import emulated
from tests.support.shipped import series_of, shipped
device = CudaDevice(cuda_open._open(sys.argv[1], 0), emulated)
print(device.name, device.workers, device.architecture, device.facts.driver)
cuda_open.open_cuda = lambda *_: device
spec = shipped("montbrio", "cuda-emulation", duration=4.0, seed=3, sweep={"eta": np.linspace(-6, -4, 40).tolist()})
found, expected = series_of(run(replace(spec, device="cuda", batch_size=32))), series_of(run(spec))
print(np.array_equal(found, expected), found.shape)
"""
OPEN = """
import sys
from ratemlx.errors import RatemlxError
from ratemlx.runtime.devices import open_device
try:
    open_device(f"cuda:{sys.argv[1]}:1")
except RatemlxError as error:
    print(error.message)
"""
PACKAGES = {"pycuda": "pycuda", "cuda-core": "cuda"}


def in_its_own_process(name: str, code: str, libraries: Path, **variables: str) -> list[str]:
    """What the code prints; nothing may be said to standard error."""
    if importlib.util.find_spec(PACKAGES[name]) is None:
        pytest.fail(f"{name} is not installed: .ci/run does it, also without a driver", pytrace=False)
    paths = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    found = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "PYTHONPATH": paths, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code, name], env=found, capture_output=True, text=True, cwd=CHECKOUT, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose libcuda.so.1 is the fake driver, with all names that PyCUDA's library wants to find in it."""
    folder = tmp_path_factory.mktemp("libraries")
    spec = importlib.util.find_spec("pycuda")
    places = spec.submodule_search_locations if spec else None
    if not places:
        return driver_library().parent
    library = next(Path(places[0]).glob("_driver*.so"))
    wanted = _symbols("--undefined-only", library) - _symbols("--defined-only", driver_library())
    (folder / "rest.c").write_text("".join(f"int {name}(void) {{ return 801; }}\n" for name in sorted(wanted)))
    target = ["-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", str(folder / "libcuda.so.1")]
    subprocess.run(["gcc", "-c", "-fPIC", "-o", str(folder / "rest.o"), str(folder / "rest.c")], check=True)
    subprocess.run(["g++", "-std=c++17", *target, str(SOURCE), str(folder / "rest.o"), "-ldl"], check=True)
    return folder


def _symbols(kind: str, library: Path) -> set[str]:
    done = subprocess.run(["nm", "-D", kind, str(library)], capture_output=True, text=True, check=True)
    return {name for line in done.stdout.splitlines() if (name := line.split()[-1]).startswith("cu")}


@pytest.mark.parametrize("package", PACKAGES)
def test_it_runs_kernels_with_the_numbers_of_the_emulation(package: str, libraries: Path) -> None:
    name, result = in_its_own_process(package, SIMULATE, libraries)
    assert name.startswith(f"Fake GPU, 1.0 GiB ({'PyCUDA' if package == 'pycuda' else package} ")
    assert name.endswith(") 4 sm_90 (13, 0)")
    assert result == "True (40, 2, 4, 68)"


def test_pycuda_ends_well_with_a_context_that_an_interrupt_left(libraries: Path) -> None:
    code = "from ratemlx.runtime.devices.cuda_pycuda import PyCuda; PyCuda(0)._context.push(); print('end')"
    assert in_its_own_process("pycuda", code, libraries) == ["end"]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"FAKE_CUDA_FAIL": "cuInit:100"}, "there is no NVIDIA GPU that can be used"),
        (
            {"FAKE_CUDA_FAIL": "cuDevicePrimaryCtxRetain:46", "FAKE_CUDA_DEVICES": "2"},
            " is busy: another process has it",
        ),
        ({"FAKE_CUDA_DEVICES": "1"}, "there is no such GPU: cuda:1"),
        ({"FAKE_CUDA_CAPABILITY": "61", "FAKE_CUDA_DEVICES": "2"}, "Fake GPU is too old"),
    ],
)
def test_what_cannot_be_opened(package: str, variables: dict[str, str], message: str, libraries: Path) -> None:
    assert message in in_its_own_process(package, OPEN, libraries, **variables)[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_driver_that_does_not_load(package: str, tmp_path: Path) -> None:
    """As where there is none; this one also hides a driver that is there."""
    (tmp_path / "libcuda.so.1").write_text("no library")
    (tmp_path / "libcuda.so").write_text("no library")
    assert in_its_own_process(package, OPEN, tmp_path)[0].startswith("NVIDIA's driver does not answer: ")
