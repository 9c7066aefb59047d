"""Sharing a plan's waves out among the ranks, with one progress of all of them, until all are done or one stops.

Knows counters and waves; nothing of what a wave is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Generic, TypeVar

from ratemlx.runtime.listening import Listening
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.stopping import ELSEWHERE, TIME_LIMIT, Deadline, Stopped, hear
from ratemlx.runtime.workers import HEAR_SECONDS
from ratemlx.runtime.world import Shares, World, is_agreed, numbers

T = TypeVar("T")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.1
"""Seconds between two looks at whether the others are done: shorter than anything a user would notice."""
GRACE = 5.0
"""Seconds that a rank that is stopped waits for an analysis; then it drops that batch."""


class SharedProgress(Progress):
    """Adds what this rank does to what all do, and tells their sum where it is told at all."""

    def __init__(self, told: Progress, shares: Shares) -> None:
        self._told, self._shares, self._seen = told, shares, 0

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """As it is told here."""
        with self._told.compiling(what):
            yield

    def advance(self, done: int) -> None:
        """Add to the sum, and tell what it has grown by."""
        self._shares.add_done(done)
        self.catch_up()

    def catch_up(self) -> None:
        """Tell what other ranks have done."""
        everybody = self._shares.done()
        self._told.advance(everybody - self._seen)
        self._seen = everybody


class Sharing:
    """The work of all ranks on one list. All of them open it, share it out and leave it together."""

    def __init__(self, world: World, deadline: Deadline, progress: Progress) -> None:
        self._world, self._deadline = world, deadline
        self._shares = world.shares()
        self._rest_is_left = False
        self._listening = Listening(world, self._shares)
        self.progress = SharedProgress(progress, self._shares)

    def check(self) -> None:
        """Raise Stopped if a signal, the time limit or another rank wants it."""
        self._deadline.check()
        if self._shares.stop_asked():
            raise Stopped(ELSEWHERE)

    def each(self, count: int) -> Iterator[int]:
        """The numbers below `count` that fall to this rank."""
        for number in numbers(self._shares, count):
            self.check()
            yield number

    @contextmanager
    def one_for_all(self) -> Iterator[None]:
        """What ends the work of this rank, within this context, ends that of all others between two chunks."""
        try:
            yield
        except BaseException:
            self._shares.stop()
            raise

    def leave_rest(self) -> None:
        """What is left takes this rank too long; others may have time for what they are at."""
        self._rest_is_left = True

    def wait_for_others(self, meanwhile: Callable[[], None]) -> None:
        """Come back when no rank has anything left to do; raises Stopped as `check` does, or if this one left some."""
        self._shares.leave()
        pause = SHORTEST_PAUSE
        while self._shares.left() < self._world.size:
            self.check()
            meanwhile()
            self.progress.catch_up()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if self._rest_is_left:
            raise Stopped(TIME_LIMIT)

    def __enter__(self) -> Sharing:
        self._listening.__enter__()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # All ranks come here together, for what failed on one was raised on all (world.together). A fault that was
        # raised on one alone will end the others: none of them may be waited for.
        if error is None or self._world.size == 1 or is_agreed(error):
            self._listening.__exit__(None, None, None)
            self.progress.catch_up()
            self._shares.close()


class Every:
    """Says when so many seconds have passed since it said so last."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def due(self) -> bool:
        """Whether it is time again."""
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True


class OneBehind(Generic[T]):
    """Calls a function in the background, at most one call at a time, so that a GPU computes meanwhile."""

    def __init__(self, function: Callable[[T], None], give_up: Callable[[], None] = lambda: None) -> None:
        self._function, self._give_up = function, give_up
        self._thread: threading.Thread | None = None
        self._fault: BaseException | None = None

    def __call__(self, value: T) -> None:
        """Wait for the call before, then begin this one; raises what the one before raised."""
        self.wait()
        # A process does not wait for a daemon at its end, when it was stopped and could wait no longer.
        self._thread = threading.Thread(target=self._call, args=(value,), name="ratemlx-analysis", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for the last call, hearing signals meanwhile; raises what it raised."""
        while self._thread is not None:
            self._join(HEAR_SECONDS)
            hear()

    def _join(self, at_most: float) -> None:
        """Wait for the last call some seconds; raises what it raised."""
        if self._thread is not None:
            self._thread.join(at_most)
            if not self._thread.is_alive():
                self._thread = None
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    def _call(self, value: T) -> None:
        try:
            self._function(value)
        except BaseException as fault:
            self._fault = fault

    def __enter__(self) -> OneBehind[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.wait()
            return
        # What ended the work is told, whatever the analysis of the batch before comes to.
        try:
            with suppress(Exception):
                self._join(GRACE)
        finally:
            self._give_up()
