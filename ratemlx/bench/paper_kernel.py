"""The paper's own AdEx kernel beside ours: RateML's `zerlaut.c`, compiled as the paper did and timed on the same GPU.

The kernel is taken from an installed tvb-contrib (`pip install --no-deps tvb-contrib`), of which nothing is copied
here. As it is shipped it sums no coupling, so that compilers drop all delayed reads, gives the threads of all blocks
the same numbers, and strides by one variable too few; `repaired` mends these three, so that it does the paper's work.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ratemlx.errors import DeviceError
from ratemlx.runtime import Connectome
from ratemlx.runtime.arrays import AnyArray

PROGRAM = Path(__file__).with_name("paper_kernel.cu")
KERNEL = "zerlaut.c"
REGISTERS = 32
"""What the paper's driver lets a thread have (-maxrregcount)."""
BLOCK = (32, 32)
"""Threads of the paper's blocks along x and y."""
KERNEL_SPEED = 4.0
"""mm/ms; written into the kernel."""
PARAMETERS = ("global_coupling", "b_e", "E_L_e", "E_L_i", "T")
"""What the kernel sweeps, in its order."""
START = (0.0, 0.0, 0.0, 0.0, 0.0, 100.0, 0.0, 0.0)
"""E, I, C_ee, C_ei, C_ii, W_e, W_i and the noise at the start, in all regions."""
REPAIRS = {
    "(gridDim.x * blockDim.x * threadIdx.y) + threadIdx.x;\n    const unsigned int size = n_work_items": (
        "((blockIdx.y * gridDim.x + blockIdx.x) * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;\n"
        "    const unsigned int size = n_work_items"
    ),
    "((time) * 7 * n_node": "((time) * 8 * n_node",
    "// Sum it all together using the coupling function.": "c_pop0 += wij * V_j;",
}
"""Texts that stand in the kernel once, and what they must be for it to do what the paper describes."""
TIMEOUT = 600


@dataclass(frozen=True)
class Toolchain:
    """A compiler's command, the folders that it looks for headers in, and the architecture it compiles for.

    `nvcc` is False for a host compiler, by which the emulation of the tests runs the kernel.
    """

    command: tuple[str, ...]
    include: tuple[Path, ...] = ()
    architecture: str = ""
    nvcc: bool = True

    def flags(self) -> tuple[str, ...]:
        """What to pass: the paper's limit of registers, on a GPU."""
        folders = tuple(f"-I{folder}" for folder in self.include)
        if not self.nvcc:
            return ("-x", "c++", "-std=c++17", "-O1", "-w", *folders)
        return ("-std=c++17", "-w", f"-arch={self.architecture}", f"-maxrregcount={REGISTERS}", *folders)


@dataclass(frozen=True, eq=False)
class PaperRun:
    """What to run: points of shape (instance, parameter), weights as they are used, times in ms."""

    connectome: Connectome
    points: AnyArray
    samples: int
    steps_per_sample: int = 10
    dt: float = 0.1
    repaired: bool = False
    exposures: int = 2
    first_step: int = 0
    block: tuple[int, int] = BLOCK
    start: tuple[float, ...] = START

    @property
    def rows(self) -> int:
        """Rows of the kernel's ring: as its driver has them, the next power of two above the longest delay."""
        longest = int(self.connectome.tract_lengths.max() / KERNEL_SPEED / self.dt) + 1
        return 1 << longest.bit_length()

    @property
    def grid(self) -> tuple[int, int]:
        """Blocks along x and y that hold all instances, as square as can be."""
        blocks = math.ceil(len(self.points) / math.prod(self.block))
        across = math.ceil(math.sqrt(blocks))
        return across, math.ceil(blocks / across)

    @property
    def state_bytes(self) -> int:
        """Memory of the history of all variables, which is most of what the kernel takes."""
        return self.rows * (8 if self.repaired else 7) * self.connectome.n_regions * len(self.points) * 4


@dataclass(frozen=True)
class PaperTiming:
    """Seconds of a run's launches and of launches with copies of the means, and node-steps per second of the former."""

    steps: int
    kernel_seconds: float
    seconds: float
    rate: float


def find_kernel() -> Path:
    """The folder of RateML's kernels in an installed tvb-contrib; raises DeviceError where it is not installed."""
    try:
        files = metadata.files("tvb-contrib") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == KERNEL and file.parent.name == "generatedModels":
            return Path(str(file.locate())).resolve().parent
    raise DeviceError("RateML's kernels are missing", "pip install --no-deps tvb-contrib")


def find_toolchain(architecture: str) -> Toolchain:
    """nvcc and the headers of cuRAND, which the kernel includes; raises DeviceError where either is missing."""
    home = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    nvcc = shutil.which("nvcc") or shutil.which("nvcc", path=str(home / "bin"))
    if nvcc is None:
        raise DeviceError("there is no nvcc to compile the paper's kernel with", "install the CUDA toolkit")
    packages = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    places = [home / "include", home / "targets" / "x86_64-linux" / "include", *sorted(packages.glob("*/include"))]
    headers = next((folder for folder in places if (folder / "curand_kernel.h").is_file()), None)
    if headers is None:
        raise DeviceError(
            "cuRAND's headers, which the paper's kernel includes, are missing", "pip install nvidia-curand"
        )
    return Toolchain((nvcc,), (headers,), architecture)


def compile_paper_kernel(toolchain: Toolchain, source: Path, folder: Path, run: PaperRun) -> Path:
    """The program that runs the kernel of `source`, in `folder`; raises DeviceError if it does not compile."""
    program, kernel = folder / "paper_kernel", folder / "kernel"
    kernel.mkdir(exist_ok=True)
    for name, text in _sources(source, run.repaired).items():
        (kernel / name).write_text(text, encoding="utf-8")
    stride = 8 if run.repaired else 7
    command = [*toolchain.command, *toolchain.flags(), f"-I{kernel}", f"-DSTRIDE={stride}", f"-DNH={run.rows}"]
    _call([*command, "-o", str(program), str(PROGRAM)], "the paper's kernel does not compile")
    return program


def time_paper_kernel(program: Path, run: PaperRun, means: Path | None = None) -> PaperTiming:
    """Run the program; `means` is a file for the samples, float32 (sample, exposure, region, instance)."""
    instances, regions = len(run.points), run.connectome.n_regions
    with TemporaryDirectory() as folder:
        arrays = Path(folder) / "arrays"
        arrays.write_bytes(_arrays(run))
        numbers = (instances, regions, run.rows, run.samples, run.steps_per_sample, run.first_step, run.exposures)
        shape = (*run.grid, *run.block)
        command = [str(program), str(arrays), *map(str, (*numbers, *shape, run.dt)), *([str(means)] if means else [])]
        found = json.loads(_call(command, "the paper's kernel failed"))
    node_steps = instances * regions * found["steps"]
    return PaperTiming(found["steps"], found["kernel_seconds"], found["seconds"], node_steps / found["kernel_seconds"])


def paper_points(instances: int) -> AnyArray:
    """Points of a sweep over global coupling and b_e, the rest as in the reference implementation."""
    across = math.ceil(math.sqrt(instances))
    coupling, b_e = np.meshgrid(np.linspace(0.1, 0.5, across), np.linspace(0.0, 120.0, across), indexing="ij")
    points = np.empty((instances, len(PARAMETERS)), dtype=np.float32)
    points[:, 0], points[:, 1] = coupling.ravel()[:instances], b_e.ravel()[:instances]
    points[:, 2:] = (-63.0, -65.0, 19.0)
    return points


def _sources(source: Path, repaired: bool) -> dict[str, str]:
    """The kernel's files; M_PI_F is CUDA's of old, and written as a number by the paper's driver too."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in (source / KERNEL, source / "zerlaut_func.h")}
    if repaired:
        for old, new in REPAIRS.items():
            if texts[KERNEL].count(old) != 1:
                raise DeviceError(f"this tvb-contrib has another {KERNEL}: {old!r} is not in it once")
            texts[KERNEL] = texts[KERNEL].replace(old, new)
    return texts


def _arrays(run: PaperRun) -> bytes:
    connectome = run.connectome
    start = np.repeat(run.start, connectome.n_regions)
    arrays = (connectome.weights, connectome.tract_lengths, run.points.T, start)
    return b"".join(np.ascontiguousarray(item, dtype=np.float32).tobytes() for item in arrays)


def _call(command: list[str], what: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceError(f"{what}: {error}") from error
    if done.returncode:
        raise DeviceError(f"{what}: {done.stderr.strip()[-2000:]}")
    return done.stdout
