"""Signals and time limits: raised once, at once or after what must not be cut in two."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from ratemlx.runtime import stopping
from ratemlx.runtime.stopping import Deadline, Stopped, interrupts_handled, shielded, told_as_stop

PROGRAM = """
import os, signal, sys
from ratemlx.runtime import stopping
from ratemlx.runtime.stopping import Deadline, Stopped, install_handlers, interruptible, shielded, told_as_stop
assert not {"numpy", "xarray", "scipy"} & set(sys.modules), "handlers come before what takes time to import"
install_handlers()
number = signal.NUMBER
def reason(error):
    return getattr(error, "reason", type(error).__name__)
STEPS
"""
SHIELDED = """
try:
    with shielded():
        os.kill(os.getpid(), number)
        print("whole")
    print("never")
except BaseException as error:
    print(reason(error))
os.kill(os.getpid(), number)
print("once")
try:
    Deadline(None).check()
except BaseException as error:
    print("again", reason(error))
"""
WITHIN_A_SHIELD = """
try:
    with shielded():
        with shielded():
            os.kill(os.getpid(), number)
        print("held")
        with interruptible():
            print("never")
except BaseException as error:
    print(reason(error))
"""
MADE_INTO_ANOTHER = """
try:
    with told_as_stop():
        try:
            os.kill(os.getpid(), number)
        except BaseException as error:
            raise ImportError("the module is only half there") from error
except BaseException as error:
    print(reason(error))
try:
    with told_as_stop():
        print("usual")
except BaseException as error:
    print("never")
"""
LOST = """
class Dropped:
    def __del__(self):
        os.kill(os.getpid(), number)
Dropped()
print("forgotten")
try:
    Deadline(None).check()
except BaseException as error:
    print(reason(error))
"""
REASONS = {"SIGTERM": "SIGTERM", "SIGUSR1": "SIGUSR1", "SIGINT": "KeyboardInterrupt"}


@pytest.mark.parametrize("name", REASONS)
@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (SHIELDED, "whole {0} once again {0}"),
        (WITHIN_A_SHIELD, "held {0}"),
        (MADE_INTO_ANOTHER, "{0} usual"),
        (LOST, "forgotten {0}"),
    ],
)
def test_a_signal_raises_once_where_it_may(name: str, steps: str, told: str) -> None:
    program = PROGRAM.replace("NUMBER", name).replace("STEPS", steps)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == told.format(REASONS[name]).split(), done.stderr
    assert done.stderr == ""


def test_an_error_without_a_signal_stays_what_it_is() -> None:
    with pytest.raises(ImportError), told_as_stop():
        raise ImportError("there is no such module")


def test_interrupts_wait_in_programs_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook: each call can be interrupted, and Python's own handler is back after it."""
    monkeypatch.setattr(stopping, "IMPATIENT_SECONDS", 3600.0)
    for _ in range(2):
        assert _interrupted_twice() == ["after the first", "after the second"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_impatient_user_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "IMPATIENT_SECONDS", 0.0)
    assert _interrupted_twice() == ["after the first"]


def _interrupted_twice() -> list[str]:
    done: list[str] = []
    with suppress(KeyboardInterrupt), interrupts_handled(), shielded():
        for which in ("first", "second"):
            time.sleep(0.01)
            signal.raise_signal(signal.SIGINT)
            done.append(f"after the {which}")
    return done


def test_without_handlers_a_signal_kills() -> None:
    program = "import os, signal, ratemlx.runtime.stopping; os.kill(os.getpid(), signal.SIGTERM)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGTERM


def test_a_deadline_looks_ahead() -> None:
    deadline = Deadline(100.0)
    deadline.check()
    assert deadline.leaves(80.0)
    assert not deadline.leaves(95.0)
    assert Deadline(None).leaves(1e9)
    with pytest.raises(Stopped, match="the time limit"):
        Deadline(0.0).check()


def test_the_time_limit_counts_from_the_start_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping._Received, "began", time.monotonic() - 60.0)
    first, second = Deadline(100.0), Deadline(100.0)
    assert not first.leaves(35.0)
    assert second.leaves(80.0), "a later run of the same program has its own time"
