"""Strong and weak scaling over the processes of this machine, as plain data for a JSON file, a table and a figure.

Every point is a run under mpirun, as users start one. Knows nothing of MPI itself.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from ratemlx.abi import Manifest
from ratemlx.errors import ClusterError, SweepError
from ratemlx.load import load
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.cpu import available_threads
from ratemlx.runtime.fingerprint import ratemlx_version
from ratemlx.runtime.launch import find_launch
from ratemlx.simulate import generated_folder

# Open MPI starts no more ranks than there are cores unless told otherwise; other launchers do not read this.
OVERSUBSCRIBE = {
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMP_NUM_THREADS": "1",
}
WARM_UP_STEPS = 200


@dataclass(frozen=True)
class Work:
    """A sweep of `instances` over the model's first parameter with a range: so many in all, or so many for a rank."""

    folder: Path
    instances: int = 64
    steps: int = 10_000
    connectome: str = "tvb:68"
    metrics: str = ""

    def text(self, instances: int, steps: int) -> str:
        """As a process of the measurement reads it."""
        return json.dumps({**asdict(self), "folder": str(self.folder), "instances": instances, "steps": steps})


def make_work(model: str, plugins: Sequence[Path], instances: int, steps: int, connectome: str, metrics: str) -> Work:
    """The work for a shipped model's name or a path to one; raises RatemlxError."""
    folder = generated_folder(load(model, plugins))
    return Work(folder, instances, steps, connectome, metrics)


def default_ranks(cores: int) -> tuple[int, ...]:
    """1, 2, 4 and so on up to the cores, and the cores themselves."""
    powers = [2**exponent for exponent in range(cores.bit_length())]
    return tuple(sorted({*powers, cores}))


def parse_ranks(text: str) -> tuple[int, ...]:
    """Numbers of ranks from a text such as "1,2,4"; raises SweepError."""
    try:
        found = sorted({int(item) for item in text.split(",")})
    except ValueError as error:
        raise SweepError(f"numbers of ranks are wanted; this is {text!r}", "write --ranks 1,2,4") from error
    if found[0] < 1:
        raise SweepError(f"at least one rank is needed; {found[0]} were asked for")
    return tuple(found)


def find_mpirun() -> Path:
    """The launcher of this Python's environment, else of the path; raises ClusterError where there is none."""
    beside = Path(sys.executable).parent
    found = shutil.which("mpirun", path=os.pathsep.join((str(beside), os.environ.get("PATH", ""))))
    if found is None:
        raise ClusterError("there is no mpirun to start ranks with", "pip install mpi4py mpich")
    launch = find_launch(os.environ)
    if launch is not None and launch.size > 1:
        raise ClusterError(f"this is one of {launch.size} tasks of {launch.launcher}", "start it as one process")
    return Path(found)


def measure_scaling(
    work: Work, ranks: Sequence[int], repeat: int = 3, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Run the work on every number of ranks, `repeat` times in turn; raises ClusterError where it cannot be run.

    Strong scaling shares the same instances out among the ranks; weak scaling gives each rank as many. Of each point
    the median counts, which other work of the machine disturbs less than the mean.
    """
    mpirun = find_mpirun()
    sizes = sorted({(count, work.instances) for count in ranks} | {(count, count * work.instances) for count in ranks})
    _run(mpirun, ranks[0], work.text(work.instances, WARM_UP_STEPS))
    runs: dict[tuple[int, int], list[Mapping[str, Any]]] = {size: [] for size in sizes}
    for turn in range(repeat):
        for count, instances in sizes:
            runs[count, instances].append(_run(mpirun, count, work.text(instances, work.steps)))
            say(f"{turn + 1} of {repeat}: {count} ranks, {instances:,} instances")
    strong = [_point(runs[count, work.instances], work.steps) for count in ranks]
    weak = [_point(runs[count, count * work.instances], work.steps) for count in ranks]
    device = open_device("cpu")
    cpu = device.name
    device.close()
    return {
        "version": ratemlx_version(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "device": cpu,
        "cores": available_threads(),
        "model": Manifest.load(work.folder).model,
        "connectome": work.connectome,
        "steps": work.steps,
        "metrics": work.metrics,
        "strong": _with_efficiency(strong, lambda first, item: item["ranks"] / first["ranks"]),
        "weak": _with_efficiency(weak, lambda _first, _item: 1.0),
    }


def table(found: Mapping[str, Any]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Headers and rows to read."""
    headers = ("scaling", "ranks", "instances", "seconds", "with start", "node-steps/s", "speedup", "efficiency")
    rows: list[Sequence[str]] = []
    for kind in ("strong", "weak"):
        for item in found[kind]:
            over = " (more than cores)" if item["ranks"] > found["cores"] else ""
            speedup = item["rate"] / found[kind][0]["rate"]
            numbers = (f"{item['seconds']:.2f}", f"{item['wall']:.2f}", f"{item['rate']:.3g}", f"{speedup:.2f}")
            rows.append(
                (kind, f"{item['ranks']}{over}", f"{item['instances']:,}", *numbers, f"{item['efficiency']:.0%}")
            )
    return headers, rows


def _run(mpirun: Path, ranks: int, work: str) -> Mapping[str, Any]:
    """One run; raises ClusterError if it fails or if its processes did not find each other."""
    with TemporaryDirectory() as folder:
        rank = [sys.executable, "-m", "ratemlx.bench.scaling.rank", work, str(Path(folder) / "run")]
        started = time.perf_counter()
        done = subprocess.run(
            [str(mpirun), "-n", str(ranks), *rank],
            capture_output=True,
            text=True,
            check=False,
            env={**OVERSUBSCRIBE, **os.environ},
        )
        wall = time.perf_counter() - started
    lines = done.stdout.split("\n")
    if done.returncode != 0 or not lines[0].startswith("{"):
        said = (done.stderr or done.stdout).strip().removeprefix("error: ")
        raise ClusterError(f"`{mpirun} -n {ranks}` failed: {said}")
    found: dict[str, Any] = json.loads(lines[0])
    if found["ranks"] != ranks:
        raise ClusterError(f"{mpirun} started {ranks} ranks, of which {found['ranks']} found each other")
    return {**found, "wall": wall}


def _point(runs: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
    first, seconds = runs[0], median(item["seconds"] for item in runs)
    return {
        "ranks": first["ranks"],
        "instances": first["instances"],
        "seconds": seconds,
        "all_seconds": [item["seconds"] for item in runs],
        "wall": median(item["wall"] for item in runs),
        "rate": first["instances"] * first["regions"] * steps / seconds,
    }


def _with_efficiency(
    points: Sequence[dict[str, Any]], share: Callable[[Mapping[str, Any], Mapping[str, Any]], float]
) -> list[dict[str, Any]]:
    """Points with the part of the ideal that is reached; `share` is how much less time is ideal."""
    first = points[0]
    return [item | {"efficiency": first["seconds"] / item["seconds"] / share(first, item)} for item in points]
