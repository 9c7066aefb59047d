"""The driver of the hand-written kernel as a program that can be made to die or to fail somewhere.

    python -m tests.survival.program ARGUMENTS [--then ARGUMENTS]...

Environment: SURVIVAL_JOURNAL is a file that every rank adds lines to: the batches that it begins and the shards that it
has written. SURVIVAL_DIE=RANK:N kills a rank before its N-th operation on files of results. SURVIVAL_FAULT=RANK:NAME
makes one of FAULTS happen on a rank; on every rank if RANK is empty. The exit code is that of the last run. SIGUSR2
makes a rank tell where all its threads are.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ratemlx.runtime.launch import find_launch

LINEAR = Path(__file__).parents[1] / "runtime" / "kernels" / "linear"
JOURNAL, DIE, FAULT = "SURVIVAL_JOURNAL", "SURVIVAL_DIE", "SURVIVAL_FAULT"
TELL_WHERE = signal.SIGUSR2
WRITING = os.O_WRONLY | os.O_RDWR


def own_rank() -> int:
    """Number of this process, 0 if it is alone."""
    launch = find_launch(os.environ)
    return 0 if launch is None else launch.rank


def keep_journal(path: str) -> None:
    """Tell in a file which batches are begun, and which are on disk."""
    from ratemlx.runtime.batch import RunningBatch
    from ratemlx.store import ShardWriter

    begin, keep = RunningBatch.__init__, ShardWriter.keep

    def tell(*words: object) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, (" ".join(map(str, (own_rank(), *words))) + "\n").encode())
        os.close(handle)

    def begin_and_tell(batch: Any, job: Any, plan: Any, *rest: Any, **named: Any) -> None:
        tell("begun", len(plan.instances))
        begin(batch, job, plan, *rest, **named)

    def keep_and_tell(writer: Any, shard: Any) -> Path:
        written = keep(writer, shard)
        tell("kept", len(shard.instances))
        return written

    RunningBatch.__init__ = begin_and_tell  # type: ignore[method-assign]
    ShardWriter.keep = keep_and_tell  # type: ignore[method-assign]


def die_at(count: int, folder: Path, die: Callable[[], object]) -> None:
    """Die before the `count`-th operation that changes files of a folder, or a database."""
    from ratemlx.store import files

    place = str(folder.resolve())
    left = [count]

    def next_is(path: object) -> None:
        if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(place):
            left[0] -= 1
            if left[0] == 0:
                die()

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
        if changes or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
            next_is(arguments[0])

    def announced(operation: str, path: Path) -> None:
        if operation in ("begin", "insert", "commit", "flush"):
            next_is(path)

    files.about_to = announced
    sys.addaudithook(heard)


def _no_memory() -> None:
    from ratemlx.errors import DeviceMemoryError
    from ratemlx.runtime.batch import RunningBatch

    def fail(*_: object, **__: object) -> None:
        raise DeviceMemoryError("the device has no memory left", "use smaller batches")

    RunningBatch.__init__ = fail  # type: ignore[method-assign]


def _no_device() -> None:
    from ratemlx.errors import DeviceError
    from ratemlx.runtime import limits

    def fail(*_: object, **__: object) -> None:
        raise DeviceError("there is no GPU 1", "ask for one GPU per task")

    limits.open_device = fail  # type: ignore[assignment]


def _bug() -> None:
    from ratemlx.store import ShardWriter

    def fail(*_: object) -> Path:
        raise ZeroDivisionError("a fault of ours")

    ShardWriter.keep = fail  # type: ignore[method-assign]


def _slow_analysis() -> None:
    from ratemlx.runtime.analysis import Analysis

    def sleep(*_: object, **__: object) -> Any:
        Path(os.environ[JOURNAL]).with_suffix(f".analysing{own_rank()}").touch()
        time.sleep(60)

    Analysis.evaluate = sleep  # type: ignore[method-assign]


def _slow_metric() -> None:
    """Metrics that take a minute, of every instance by itself: on each thread there is."""
    import ratemlx.metrics  # noqa: F401

    def sleep(*_: object, **__: object) -> Any:
        Path(os.environ[JOURNAL]).with_suffix(f".analysing{own_rank()}").touch()
        time.sleep(60)

    values = sys.modules["ratemlx.metrics.evaluate"]
    values._values = sleep  # type: ignore[attr-defined]
    values._chunk = lambda _: 1  # type: ignore[attr-defined]


def _slow_begin() -> None:
    from ratemlx.runtime.run_folder import RunFolder

    begin = RunFolder.begin

    def sleep(*arguments: Any) -> None:
        Path(os.environ[JOURNAL]).with_suffix(".beginning").touch()
        time.sleep(3)
        begin(*arguments)

    RunFolder.begin = sleep  # type: ignore[method-assign]


def _disk_looks_free() -> None:
    """As if somebody else filled it after it was looked at."""
    from ratemlx.runtime import run_folder

    run_folder.check_disk = lambda *_: None  # type: ignore[assignment]


def _no_compiler() -> None:
    from ratemlx.errors import KernelError
    from ratemlx.runtime import engine, simulation

    def fail(*_: object) -> None:
        raise KernelError("the compiler is gone")

    simulation.load_kernel = engine.load_kernel = fail  # type: ignore[assignment]


def _late_listing() -> None:
    """What other ranks write is listed two seconds late here, as on a network file system."""
    from ratemlx.store import run_store, shards

    see, hidden_until = shards.shard_files, [0.0]

    def see_late(folder: Path) -> list[Path]:
        found = see(folder)
        own = [path for path in found if f"-{own_rank()}-" in path.name]
        if len(own) < len(found) and not hidden_until[0]:
            hidden_until[0] = time.monotonic() + 2
        return own if time.monotonic() < hidden_until[0] else found

    run_store.shard_files = shards.shard_files = see_late


def _late_full_disk() -> None:
    """When others have long been told to stop."""
    from ratemlx.errors import ResultError
    from ratemlx.store import ShardWriter

    def fail(*_: object) -> Path:
        time.sleep(1.5)
        raise ResultError("a batch cannot be kept: No space left on device")

    ShardWriter.keep = fail  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "no memory": _no_memory,
    "no device": _no_device,
    "bug": _bug,
    "slow analysis": _slow_analysis,
    "slow metric": _slow_metric,
    "slow begin": _slow_begin,
    "no compiler": _no_compiler,
    "late listing": _late_listing,
    "late full disk": _late_full_disk,
    "disk looks free": _disk_looks_free,
}


def arrange(environment: dict[str, str], folder: Path) -> None:
    """Make happen what the environment asks for."""
    if journal := environment.get(JOURNAL):
        keep_journal(journal)
    if fault := environment.get(FAULT):
        rank, _, name = fault.partition(":")
        if rank in ("", str(own_rank())):
            FAULTS[name]()
    if death := environment.get(DIE):
        rank, _, count = death.partition(":")
        if rank == str(own_rank()):
            die_at(int(count), folder, lambda: os.kill(os.getpid(), signal.SIGKILL))


def main(arguments: Sequence[str]) -> int:
    """One run after another; the code of the last, or of the first that fails."""
    faulthandler.register(TELL_WHERE)
    from ratemlx.runtime.driver import main as drive

    runs: list[list[str]] = [[]]
    for word in arguments:
        if word == "--then":
            runs.append([])
        else:
            runs[-1].append(word)
    if {JOURNAL, FAULT, DIE} & set(os.environ):
        arrange(dict(os.environ), Path(runs[0][runs[0].index("-o") + 1]))
    code = 0
    for words in runs:
        code = code or drive(LINEAR, words)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
