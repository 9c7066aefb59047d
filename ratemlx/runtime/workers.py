"""Doing the parts of something on some threads, which signals and faults end soon. Knows nothing of the parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ratemlx.runtime.stopping import shielded

T = TypeVar("T")
HEAR_SECONDS = 0.05
"""How often who waits for threads hears signals."""


class Workers:
    """Some threads; calls a function for every part, and comes back when all are done or one has failed."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._given_up = False

    def __call__(self, function: Callable[[T], object], parts: Sequence[T]) -> None:
        """Call `function` with every part; raises what a call of it raises, or a signal, when no call is running."""
        if self.threads == 1 or len(parts) < 2:
            for part in parts:
                self._begin(function, part)
            return
        with ThreadPoolExecutor(min(self.threads, len(parts)), thread_name_prefix="ratemlx-worker") as pool:
            calls: list[Future[None]] = []
            try:
                with shielded():
                    calls += [pool.submit(self._begin, function, part) for part in parts]
                _finish(calls)
            finally:
                with shielded():
                    for call in calls:
                        call.cancel()

    def give_up(self) -> None:
        """From another thread: let no further call begin, for nobody waits for them any more."""
        self._given_up = True

    def _begin(self, function: Callable[[T], object], part: T) -> None:
        if self._given_up:
            raise CancelledError
        function(part)


def _finish(calls: Sequence[Future[None]]) -> None:
    waiting = set(calls)
    while waiting:
        # A signal may raise at the end of the shield, and nowhere within: locks would stay taken.
        with shielded():
            done, waiting = wait(waiting, HEAR_SECONDS, FIRST_EXCEPTION)
            for call in done:
                call.result()
