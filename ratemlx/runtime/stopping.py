"""Stopping in good time: SIGTERM, SIGUSR1, interrupts and a time limit end a run, with codes of their own.

Imports nothing slow, for the handlers are to be in place before anything that takes time is imported. A run stops
between two chunks at the latest; what it has finished is on disk by then, what it is at is dropped.

A signal raises where it comes only where that harms nobody. Of several processes none may leave the others alone in
the middle of a conversation: there signals are held, and raise only within `interruptible`, from where
`world.together` tells all others. And what computes is `shielded`: between its chunks it asks (`hear`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ratemlx.runtime.launch import find_launch

EXIT_STOPPED = 75
"""Exit code of a run that was stopped in good time and goes on with the same command (EX_TEMPFAIL of sysexits.h)."""
EXIT_INTERRUPTED = 130
"""Exit code of a run that was interrupted from the keyboard."""
TIME_LIMIT, ELSEWHERE = "the time limit", "another rank"
"""Reasons of stops that no signal to this process caused."""
SIGNALS = ("SIGTERM", "SIGUSR1")
INTERRUPT = "SIGINT"
IMPATIENT_SECONDS = 1.0
"""A second interrupt so much later raises wherever the process is; before, a launcher may have passed on the first."""
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
    since = 0.0
    raised = False
    held = False
    began: float | None = None


def install_handlers() -> None:
    """From now on the first SIGTERM, SIGUSR1 or interrupt raises in the main thread; further ones are ignored.

    One of several launched processes holds them from here on, for it has others to tell. The time limit of a run
    counts from here too: what is imported next may take a while on the file system of a cluster.
    """
    _Received.began = time.monotonic()
    _Received.held = _is_one_of_several()
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, _handle)
    _handle_interrupts()
    sys.unraisablehook = _losing(sys.unraisablehook)


def _is_one_of_several() -> bool:
    launch = find_launch(os.environ)
    return launch is not None and launch.size > 1


def _handle_interrupts() -> bool:
    """Handle interrupts too, if nobody else wants or ignores them, as `nohup` does."""
    plain = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if plain:
        signal.signal(signal.SIGINT, _handle)
    return plain


@contextmanager
def interrupts_handled() -> Iterator[None]:
    """Within this context an interrupt waits for what must not be cut in two; for programs without our handlers."""
    if signal.getsignal(signal.SIGINT) is _handle or threading.current_thread() is not threading.main_thread():
        yield
        return
    handled, _Received.held = _handle_interrupts(), _is_one_of_several()
    try:
        with told_as_stop():
            yield
    finally:
        if handled:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _Received.name, _Received.raised, _Received.held = None, False, False


def _losing(tell: Callable[[Any], object]) -> Callable[[Any], None]:
    """Say nothing of a signal that raised where Python cannot pass it on, as in a callback: `hear` raises it again."""

    def lose(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, Stopped | KeyboardInterrupt):
            tell(unraisable)

    return lose


def _handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    now = time.monotonic()
    if _Received.name is None:
        _Received.name, _Received.since = signal.Signals(number).name, now
    elif number == signal.SIGINT and now - _Received.since > IMPATIENT_SECONDS:
        raise KeyboardInterrupt
    if not _Received.held:
        _raise_once()


def _raise_once() -> None:
    if not _Received.raised:
        hear()


def hear() -> None:
    """Raise Stopped, or KeyboardInterrupt, if a signal has come; also where it is held, and if it raised before."""
    if _Received.name is not None:
        _Received.raised = True
        raise _stop(_Received.name)


def _stop(name: str) -> Stopped | KeyboardInterrupt:
    return KeyboardInterrupt() if name == INTERRUPT else Stopped(name)


@contextmanager
def told_as_stop() -> Iterator[None]:
    """What comes out of this context after a signal raised within it is the stop, whatever was made of it.

    An import that is cut short ends with an ImportError, and a compiler's caller with what it says of compilers.
    """
    try:
        yield
    except Exception as error:
        # What all processes agreed on stays: faults have been weighed against stops by then.
        if _Received.raised and _Received.name is not None and not getattr(error, "agreed", False):
            raise _stop(_Received.name) from error
        raise


def stop_from_elsewhere() -> None:
    """From another thread: interrupt the main one as by a signal, if signals are handled here."""
    if _Received.name is None:
        _Received.name = ELSEWHERE
    number = getattr(signal, SIGNALS[-1], None)
    if number is not None and signal.getsignal(number) is _handle:
        signal.pthread_kill(threading.main_thread().ident or 0, number)


class shielded:  # noqa: N801
    """Within this context a signal waits until its end: for what must not be cut in two.

    Everything is that uses locks of Python: a signal that raises just after a lock was taken leaves it taken for ever.
    In other threads than the main one it does nothing, for there no signal raises.
    """

    _holds = True

    def __enter__(self) -> None:
        self._before = _Received.held
        self._counts = threading.current_thread() is threading.main_thread()
        if self._counts:
            _Received.held = self._holds
            try:
                self._look()
            except BaseException:
                _Received.held = self._before
                raise

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._counts:
            _Received.held = self._before
            if kind is None:
                self._look()

    def _look(self) -> None:
        if not _Received.held:
            _raise_once()


class interruptible(shielded):  # noqa: N801
    """Within this context a signal raises at once, also one that was held before, and within a shield."""

    _holds = False


class Deadline:
    """When a run must have ended, or never: `seconds` from now, or from when handlers were installed for this run."""

    def __init__(self, seconds: float | None) -> None:
        began, _Received.began = _Received.began or time.monotonic(), None
        self._end = None if seconds is None else began + seconds - min(MARGIN, seconds / 10)

    def leaves(self, seconds: float) -> bool:
        """Whether so many seconds more end in time."""
        return self._end is None or time.monotonic() + seconds <= self._end

    def check(self) -> None:
        """Raise Stopped if a signal has come, or if time is over.

        Also for a signal that raised before: some packages swallow what is raised while they are imported.
        """
        hear()
        if not self.leaves(0.0):
            raise Stopped(TIME_LIMIT)
