"""Doing the parts of something on some threads, which signals and faults end soon. Knows nothing of the parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from ratemlx.runtime.stopping import shielded

T = TypeVar("T")
HEAR_SECONDS = 0.05
"""How often who waits for threads hears signals."""
GRACE = 2.0
"""Seconds that who is stopped waits for the calls that are running; then it leaves them to the end of the process."""


class Workers:
    """Some threads; calls a function for every part, and comes back when all are done or one has failed."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._given_up = False

    def __call__(self, function: Callable[[T], object], parts: Sequence[T]) -> None:
        """Call `function` with every part; raises what a call of it raises, or a signal."""

        def begin(part: T) -> None:
            self.check()
            function(part)

        if self.threads == 1 or len(parts) < 2:
            for part in parts:
                begin(part)
            return
        _Work(begin, parts).do(min(self.threads, len(parts)))

    def give_up(self) -> None:
        """From another thread: let no further call begin, for nobody waits for them any more."""
        self._given_up = True

    def check(self) -> None:
        """Raise CancelledError if nobody waits any more."""
        if self._given_up:
            raise CancelledError


class _Work(Generic[T]):
    """Parts that threads take from a queue until there are none, or until it is over.

    Daemons, and no executor: Python waits for an executor's threads at its end, whatever they are at.
    """

    def __init__(self, function: Callable[[T], object], parts: Sequence[T]) -> None:
        self._function = function
        self._parts: SimpleQueue[T] = SimpleQueue()
        for part in parts:
            self._parts.put(part)
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()
        self._over = False

    def do(self, count: int) -> None:
        threads = [threading.Thread(target=self._take, name="ratemlx-worker", daemon=True) for _ in range(count)]
        try:
            with shielded():
                for thread in threads:
                    thread.start()
            self._wait(count)
        finally:
            with shielded():
                self._over = True
                last = time.monotonic() + GRACE
                for thread in threads:
                    if thread.is_alive():
                        thread.join(max(0.0, last - time.monotonic()))

    def _wait(self, count: int) -> None:
        while count:
            # A signal raises at the end of the shield, and nowhere within: a lock would stay taken.
            with shielded():
                try:
                    fault = self._ended.get(timeout=HEAR_SECONDS)
                except Empty:
                    continue
                if fault is not None:
                    raise fault
                count -= 1

    def _take(self) -> None:
        """On a thread: part after part, then why it ended."""
        fault: BaseException | None = None
        try:
            while not self._over:
                self._function(self._parts.get_nowait())
        except Empty:
            pass
        except BaseException as raised:
            fault = raised
        self._ended.put(fault)
