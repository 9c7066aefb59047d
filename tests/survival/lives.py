"""Runs that are killed again and again until they are done, and compared with one that was not.

    python -m tests.survival.lives --kills 200 --mpi 200

Prints what was done; ends with an AssertionError that names seed and life if results differ. It forks, so it is a
program of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tests.store.crash import memory
from tests.survival import program
from tests.survival.runs import (
    Journal,
    Sweep,
    check_whole,
    ended,
    processes_of,
    run,
    save_connectome,
    start,
    wait_for_end,
)


def expected_of(sweep: Sweep, place: Path) -> str:
    """The digest of a run that nothing interrupts, of one process; other batches, which must not matter."""
    from ratemlx.store.digest import database_digest

    folder = place / "expected"
    assert in_child(lambda: program.main(sweep.of(batch=11).words(folder))) == 0
    return database_digest(folder)


def in_child(action: Callable[[], int], kill_after: float | None = None) -> int:
    """The exit code of what a child does, negative if a signal ended it; SIGKILL comes after some seconds."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            code = action()
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_alone(sweep: Sweep, place: Path, expected: str, kills: int, seed: int) -> int:
    """One process, killed at random moments, ever later ones until it is done; gives the number of runs."""
    chosen, killed, runs = random.Random(seed), 0, 0
    while killed < kills:
        folder, journal = place / f"alone-{runs}", Journal(place / f"alone-{runs}.txt")
        longest, lives = 0.02, 0

        def live(folder: Path = folder, journal: Journal = journal) -> int:
            program.arrange(journal.environment, folder)
            return program.main(sweep.words(folder))

        while True:
            longest *= 1.2
            code = in_child(live, chosen.uniform(0.0, longest))
            about = f"seed {seed}, run {runs}, life {lives}, exit code {code}"
            assert code in (0, -signal.SIGKILL), about
            if code == 0:
                break
            killed, lives = killed + 1, lives + 1
        check_whole(folder, sweep, expected, about)
        check_work(journal, sweep, lives, 1, about)
        runs += 1
    return runs


def kill_ranks(sweep: Sweep, place: Path, expected: str, kills: int, seed: int) -> int:
    """Ranks of MPI of which a random one, or mpirun itself, is killed; another number of them in every life."""
    chosen, killed, runs = random.Random(seed), 0, 0
    longest = _seconds(lambda: run(3, sweep.words(place / "timing")))
    while killed < kills:
        folder, journal = place / f"ranks-{runs}", Journal(place / f"ranks-{runs}.txt")
        lives, code, about = 0, 1, ""
        while code:
            ranks = chosen.choice((2, 2, 3, 4))
            last_chance = lives == 6 or killed >= kills
            process = start(ranks, sweep.words(folder), journal.environment)
            if not last_chance:
                time.sleep(chosen.uniform(0.3, 1.2) * longest)
                victims = list(processes_of(process).values())
                victim = chosen.choice([*victims, *victims, process.pid])
                hit = process.poll() is None
                if hit:
                    os.kill(victim, signal.SIGKILL)
                killed, lives = killed + hit, lives + hit
            whole = ended(process)
            wait_for_end(processes_of(process).values() if last_chance else victims)
            code = whole.code
            about = f"seed {seed}, run {runs}, life {lives}, {ranks} ranks, exit code {code}: {whole.err}"
            assert code == 0 or not last_chance, about
            assert "Traceback" not in whole.err, about
        check_whole(folder, sweep, expected, about)
        check_work(journal, sweep, lives, 4, about)
        runs += 1
    return runs


def check_work(journal: Journal, sweep: Sweep, lives: int, ranks: int, about: str) -> None:
    """At most one batch per rank and life was computed in vain, and none twice that had been kept."""
    totals = journal.totals()
    begun, kept = sum(totals["begun"].values()), sum(totals["kept"].values())
    assert kept <= sweep.size, f"{kept} kept of {sweep.size}: {about}"
    assert begun <= sweep.size + lives * ranks * sweep.batch, f"{begun} begun of {sweep.size}: {about}"


def die_everywhere(sweep: Sweep, place: Path, expected: str, stride: int, seed: int) -> int:
    """One process that dies before its n-th operation on files, for every few n; gives the number of deaths."""
    nth, deaths = 1 + seed % stride, 0
    while True:
        folder = place / f"operation-{nth}"

        def die(folder: Path = folder, nth: int = nth) -> int:
            program.die_at(nth, folder, lambda: os._exit(99))
            return program.main(sweep.words(folder))

        code = in_child(die)
        if code == 0:
            return deaths
        assert code == 99, f"operation {nth}: exit code {code}"
        assert in_child(lambda folder=folder: program.main(sweep.words(folder))) == 0, f"after operation {nth}"  # type: ignore[misc]
        check_whole(folder, sweep, expected, f"after operation {nth}")
        nth, deaths = nth + stride, deaths + 1


def _seconds(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def main() -> None:
    """What the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.survival.lives", description=__doc__)
    parser.add_argument("--kills", type=int, default=0, help="of one process")
    parser.add_argument("--mpi", type=int, default=0, help="kills of ranks")
    parser.add_argument("--stride", type=int, default=0, help="die before every STRIDE-th operation on files")
    parser.add_argument("--series", action="store_true", help="with series kept")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    for name in ("ratemlx.runtime.simulation", "ratemlx.runtime.driver_options", "scipy.fft", "xarray"):
        import_module(name)  # all that every child would have to import
    for name in ("h5netcdf", "matplotlib.figure", "matplotlib.backends.backend_agg") if given.series else ():
        import_module(name)

    with tempfile.TemporaryDirectory(dir=memory()) as name:
        place = Path(name)
        sweep = Sweep(save_connectome(place / "connectome.npz"), series=given.series)
        expected = expected_of(sweep, place)
        for what, count, action in (
            ("kills of a process", given.kills, kill_alone),
            ("kills of ranks", given.mpi, kill_ranks),
            ("strides over operations", given.stride, die_everywhere),
        ):
            if count:
                started = time.monotonic()
                found = action(sweep, place, expected, count, given.seed)
                print(
                    f"{count} {what}, {found} runs, seed {given.seed}, {time.monotonic() - started:.0f} s", flush=True
                )


if __name__ == "__main__":
    main()
