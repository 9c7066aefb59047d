"""How much memory a sweep with metrics takes, by its number of instances: series are looked at and not kept.

`python -m ratemlx.bench.memory` runs `ratemlx run` for 100 and for 1,000 instances, each in a process of its own, and
prints the most that each held at a time. Knows the command line from the outside only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ratemlx.errors import DeviceError
from ratemlx.runtime.arrays import bytes_text

# The largest memory of a process that has replaced another (exec) counts that one's too in getrusage; this does not.
CHILD = """
import atexit, pathlib, runpy, sys
into = pathlib.Path(sys.argv.pop(1))
def tell():
    lines = pathlib.Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    into.write_text(next(line.split()[1] for line in lines if line.startswith("VmHWM:")), encoding="ascii")
atexit.register(tell)
runpy.run_module("ratemlx", run_name="__main__")
"""


@dataclass(frozen=True)
class Peak:
    """The most bytes that a run of so many instances held, and its seconds."""

    instances: int
    bytes: int
    seconds: float


def measure_peaks(counts: Sequence[int], options: Sequence[str] = ()) -> Iterator[Peak]:
    """The peak of a run for each number of instances; `options` are added to the command. Raises DeviceError.

    The first run compiles, in a process that is counted as well: the same one is run before and not told.
    """
    for place, count in enumerate((counts[0], *counts)):
        with TemporaryDirectory() as folder:
            found = _peak(count, Path(folder), options)
        if place:
            yield found


def _peak(count: int, folder: Path, options: Sequence[str]) -> Peak:
    sweep = ("run", "montbrio", "--sweep", f"J=10:20:{count}", "-o", str(folder / "run"))
    analysis = ("--metrics", "table2", "--transient", "300", "--duration", "1600")
    command = [sys.executable, "-c", CHILD, str(folder / "peak"), *sweep, *analysis, *options]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise DeviceError(f"`ratemlx {' '.join(command[4:])}` failed: {done.stderr.strip()}")
    return Peak(count, 1024 * int((folder / "peak").read_text(encoding="ascii")), seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the memory of sweeps of several sizes."""
    parser = argparse.ArgumentParser(prog="python -m ratemlx.bench.memory", description=__doc__)
    parser.add_argument("instances", nargs="*", type=int, default=[100, 1000])
    given, options = parser.parse_known_args(arguments)
    print("montbrio on tvb:68, 1,600 ms of two exposures, all metrics of Table 2, no series kept", *options)
    for peak in measure_peaks(given.instances, options):
        print(f"  {peak.instances:>6,} instances  {bytes_text(peak.bytes):>10}  {peak.seconds:6.1f} s")


if __name__ == "__main__":
    main()
