"""Sharing a plan's waves out among the ranks, with one progress of all of them, until all are done or one stops.

Knows counters and waves; nothing of what a wave is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, TypeVar

from ratemlx.runtime.progress import Progress
from ratemlx.runtime.stopping import Deadline, Stopped
from ratemlx.runtime.world import Shares, World, numbers

T = TypeVar("T")


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
        self.progress = SharedProgress(progress, self._shares)

    def check(self) -> None:
        """Raise Stopped if a signal, the time limit or another rank wants it."""
        self._deadline.check()
        if self._shares.stop_asked():
            raise Stopped("a signal to another rank")

    def each(self, count: int) -> Iterator[int]:
        """The numbers below `count` that fall to this rank; if it is stopped, all are."""
        try:
            for number in numbers(self._shares, count):
                self.check()
                yield number
        except (Stopped, KeyboardInterrupt):
            self._shares.stop()
            raise

    def __enter__(self) -> Sharing:
        return self

    def __exit__(self, *outcome: object) -> None:
        # All ranks come here together, for what failed on one was raised on all (world.together).
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

    def __init__(self, function: Callable[[T], None]) -> None:
        self._function = function
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ratemlx-analysis")
        self._latest: Future[None] | None = None

    def __call__(self, value: T) -> None:
        """Wait for the call before, then begin this one; raises what the one before raised."""
        self.wait()
        self._latest = self._pool.submit(self._function, value)

    def wait(self) -> None:
        """Wait for the last call; raises what it raised."""
        latest, self._latest = self._latest, None
        if latest is not None:
            latest.result()

    def __enter__(self) -> OneBehind[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, (Stopped, KeyboardInterrupt)):
                self.wait()
        finally:
            self._pool.shutdown(cancel_futures=True)
