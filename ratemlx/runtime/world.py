"""The processes that share a run: one alone here, or the ranks of MPI (`mpi.py`), with the same few calls.

What they share out are the waves of a plan, one at a time to whoever is free, so that fast and slow devices end
together. Knows numbers and messages; nothing of models or files.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ratemlx.errors import BUG_REPORT, EXIT_BUG, ClusterError, RatemlxError
from ratemlx.runtime.launch import check_launch, find_launch
from ratemlx.runtime.stopping import (
    ELSEWHERE,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    INTERRUPT,
    Stopped,
    interruptible,
    shielded,
    told_as_stop,
)

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)


class Shares(Protocol):
    """Numbers from 0 on, each given to one process only."""

    def next(self) -> int:
        """The next number that nobody has."""

    def add_done(self, amount: int) -> None:
        """Tell how much has been done here."""

    def done(self) -> int:
        """How much all have done."""

    def stop(self) -> None:
        """Ask all processes to stop."""

    def stop_asked(self) -> bool:
        """Whether one of them asked."""

    def leave(self) -> None:
        """Tell that nothing is left to do here."""

    def left(self) -> int:
        """How many have nothing left to do."""

    def close(self) -> None:
        """Give it back; all processes call this together."""


class World(Protocol):
    """The processes of a run. All of them make the same calls in the same order."""

    @property
    def rank(self) -> int:
        """Number of this process."""

    @property
    def size(self) -> int:
        """How many there are."""

    @property
    def local_rank(self) -> int:
        """Number of this process among those of its computer."""

    @property
    def local_size(self) -> int:
        """How many there are on its computer."""

    def broadcast(self, value: T | None) -> T:
        """What rank 0 gives, to all."""

    def gather(self, value: T) -> list[T]:
        """What each gives, in the order of ranks, to all."""

    @property
    def threads_may_call(self) -> bool:
        """Whether any thread may talk to the others, at any time."""

    def serve(self) -> None:
        """Let what others want of this process go on."""

    def shares(self) -> Shares:
        """A new counter from 0."""

    def abort(self, code: int) -> None:
        """End all processes at once, where one has a fault that the others wait for."""


@dataclass
class _OwnShares:
    """Numbers for one process."""

    given: int = -1
    amount: int = 0
    gone: int = 0

    def next(self) -> int:
        self.given += 1
        return self.given

    def add_done(self, amount: int) -> None:
        self.amount += amount

    def done(self) -> int:
        return self.amount

    def stop(self) -> None:
        pass

    def stop_asked(self) -> bool:
        return False

    def leave(self) -> None:
        self.gone = 1

    def left(self) -> int:
        return self.gone

    def close(self) -> None:
        pass


class Alone:
    """One process."""

    rank = 0
    size = 1
    local_rank = 0
    local_size = 1
    threads_may_call = False

    def broadcast(self, value: T | None) -> T:
        """The value itself."""
        assert value is not None
        return value

    def gather(self, value: T) -> list[T]:
        """The value alone."""
        return [value]

    def serve(self) -> None:
        """Nobody wants anything."""

    def shares(self) -> Shares:
        """A counter."""
        return _OwnShares()

    def abort(self, code: int) -> None:
        """Nobody else waits."""


def open_world() -> World:
    """The ranks of MPI where this process was launched as one of several, else this process alone.

    Raises ClusterError where the launcher started several tasks and MPI does not connect them.
    """
    launch = find_launch(os.environ)
    if launch is None or launch.size == 1:
        return Alone()
    from ratemlx.runtime.mpi import open_mpi

    world = open_mpi(launch)
    check_launch(launch, world.size)
    return world


TELLING_SECONDS = 0.5
"""Time for a launcher to pass on what the last rank said."""


def together(world: World, action: Callable[[], T], *, hears: bool = True) -> T:
    """Do the same on all processes; if it fails on one, all raise what the first of them could not do.

    So nobody waits for a process that is gone. Signals are heard within `action`, which is why it must not wait for
    other processes by itself: one that is stopped, even before it begins, would not come there. An action that waits
    asks for signals itself, and tells the others before it goes (`hears` is false). Raises ClusterError where there are
    several processes, and Stopped or KeyboardInterrupt if one of them was stopped.
    """
    hearing = interruptible() if hears else shielded()
    if world.size == 1:
        with hearing:
            return action()
    failure: tuple[str, str | None] | None = None
    reason: str | None = None
    result: Any = None
    try:
        with told_as_stop(), hearing:
            result = action()
    except RatemlxError as error:
        failure = (error.message, error.hint)
    except Stopped as stopped:
        reason = stopped.reason
    except KeyboardInterrupt:
        reason = INTERRUPT
    outcomes = world.gather((failure, reason))
    for rank, (failed, _) in enumerate(outcomes):
        if failed is not None:
            raise _agreed(ClusterError(f"rank {rank} of {world.size}: {failed[0]}", failed[1]))
    reasons = [said for _, said in outcomes if said is not None]
    if reasons:
        first = next((said for said in reasons if said != ELSEWHERE), ELSEWHERE)
        raise _agreed(KeyboardInterrupt() if INTERRUPT in reasons else Stopped(first))
    return result  # type: ignore[no-any-return]


def _agreed(error: E) -> E:
    error.agreed = True  # type: ignore[attr-defined]
    return error


def is_agreed(error: BaseException) -> bool:
    """Whether this was raised on all processes together."""
    return bool(getattr(error, "agreed", False))


@contextmanager
def nobody_waits(world: World) -> Iterator[None]:
    """What one process raises on its own ends all others too, which would wait for it for ever."""
    try:
        yield
    except BaseException as error:
        if world.size > 1 and not is_agreed(error):
            print(f"rank {world.rank} of {world.size} ends the run", file=sys.stderr)
            code = _told(error)
            sys.stderr.flush()
            # An abort kills the launcher's forwarding too, and with it what was said last.
            time.sleep(TELLING_SECONDS)
            world.abort(code)
        raise


def _told(error: BaseException) -> int:
    """Print what others will not see any more; gives the exit code."""
    if isinstance(error, RatemlxError):
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    if isinstance(error, Stopped):
        return EXIT_STOPPED
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    traceback.print_exception(error)
    print(BUG_REPORT, file=sys.stderr, flush=True)
    return EXIT_BUG


def numbers(shares: Shares, count: int) -> Iterator[int]:
    """The numbers below `count` that fall to this process."""
    while (number := shares.next()) < count:
        yield number
