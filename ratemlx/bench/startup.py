"""How long one waits before a first simulation: for help, for a generated kernel, for its compilation.

Every command runs in a process of its own, as a user's does, with an empty cache. Knows nothing of models.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ratemlx.errors import DeviceError


@dataclass(frozen=True)
class Startup:
    """Seconds of `ratemlx --help`, of generating a model's C++ kernel, and of compiling it.

    `run` is a run of 10 ms with the compiled kernel, process and loading included.
    """

    help: float
    generate: float
    compile: float
    run: float


def measure_startup(model: str, plugins: Sequence[Path] = (), repeat: int = 3) -> Startup:
    """Measure on this machine; `model` is a shipped model's name or a path. Raises DeviceError if a command fails.

    Of help and of generating, the quickest of `repeat` tries counts.
    """
    code = [argument for path in plugins for argument in ("--plugin", str(path))]
    with TemporaryDirectory() as name:
        folder = Path(name)
        generating = ("generate", model, "--target", "cpp", "-o", str(folder), *code)
        help_seconds = min(_seconds(("--help",), folder) for _ in range(repeat))
        generate_seconds = min(_seconds(generating, folder) for _ in range(repeat))
        (kernel,) = folder.glob("*/cpp")
        running = ("run", str(kernel), "--duration", "10")
        first, second = (_seconds(running, folder) for _ in range(2))
    return Startup(help_seconds, generate_seconds, first - second, second)


def _seconds(arguments: Sequence[str], folder: Path) -> float:
    """Of one `ratemlx` command, whose cache is in `folder`."""
    environment = os.environ | {"RATEMLX_CACHE_DIR": str(folder / "cache")}
    command = (sys.executable, "-m", "ratemlx", *arguments)
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise DeviceError(f"`ratemlx {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return seconds
