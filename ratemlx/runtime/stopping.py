"""Stopping in good time: SIGTERM, SIGUSR1 and a time limit end a run as an interrupt does, with a code of their own.

Imports nothing slow, for the handlers are to be in place before anything that takes time is imported. A run stops
between two chunks at the latest; what it has finished is on disk by then, what it is at is dropped.

Of several processes none may leave the others alone in the middle of a conversation: there signals are held, and raise
only within `interruptible`, from where `world.together` tells all others.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

from ratemlx.runtime.launch import find_launch

EXIT_STOPPED = 75
"""Exit code of a run that was stopped in good time and goes on with the same command (EX_TEMPFAIL of sysexits.h)."""
EXIT_INTERRUPTED = 130
"""Exit code of a run that was interrupted from the keyboard."""
TIME_LIMIT, ELSEWHERE = "the time limit", "another rank"
"""Reasons of stops that no signal to this process caused."""
SIGNALS = ("SIGTERM", "SIGUSR1")
MARGIN = 10.0
"""Seconds before the time limit at which a run stops, to leave time for what is not computing."""


class Stopped(BaseException):
    """The run is to end now; `reason` says why. Like an interrupt no `except Exception` catches it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _Received:
    """The first signal that came, and whether it has been raised; raised once, for cleaning up takes time."""

    name: str | None = None
    raised = False
    held = False
    shielded = 0


def _at_once() -> bool:
    """Whether a signal may raise wherever the main thread is."""
    return not _Received.held and not _Received.shielded


def install_handlers() -> None:
    """From now on the first SIGTERM or SIGUSR1 raises Stopped in the main thread; further ones are ignored.

    One of several launched processes holds them from here on, for it has others to tell.
    """
    launch = find_launch(os.environ)
    _Received.held = launch is not None and launch.size > 1
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, _handle)


def _handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    if _Received.name is None:
        _Received.name = signal.Signals(number).name
    # Where the exception is lost, as within a callback of C code, `check` raises it again.
    if _at_once():
        _raise_once()


def _raise_once() -> None:
    if _Received.name is not None and not _Received.raised:
        _Received.raised = True
        raise Stopped(_Received.name)


def stop_from_elsewhere() -> None:
    """From another thread: interrupt the main one as by a signal, if signals are handled here."""
    if _Received.name is None:
        _Received.name = ELSEWHERE
    number = getattr(signal, SIGNALS[-1], None)
    if number is not None and signal.getsignal(number) is _handle:
        signal.pthread_kill(threading.main_thread().ident or 0, number)


class shielded:  # noqa: N801
    """Within this context a signal waits until its end: for what must not be cut in two.

    In other threads than the main one it does nothing, for there no signal raises.
    """

    def __enter__(self) -> None:
        self._counts = threading.current_thread() is threading.main_thread()
        _Received.shielded += self._counts

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        _Received.shielded -= self._counts
        if self._counts and kind is None and _at_once():
            _raise_once()


class interruptible:  # noqa: N801
    """Within this context a signal raises at once, also one that was held before."""

    def __enter__(self) -> None:
        self._before, _Received.held = _Received.held, False
        try:
            _raise_once()
        except Stopped:
            _Received.held = self._before
            raise

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        _Received.held = self._before


class Deadline:
    """When a run must have ended; `seconds` from now, or never."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds - min(MARGIN, seconds / 10)

    def leaves(self, seconds: float) -> bool:
        """Whether so many seconds more end in time."""
        return self._end is None or time.monotonic() + seconds <= self._end

    def check(self) -> None:
        """Raise Stopped if a signal has come, or if time is over.

        Also for a signal that raised before: some packages swallow what is raised while they are imported.
        """
        if _Received.name is not None:
            _Received.raised = True
            raise Stopped(_Received.name)
        if not self.leaves(0.0):
            raise Stopped(TIME_LIMIT)
