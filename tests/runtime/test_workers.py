"""Parts on threads: all are done, and faults, signals and giving up end them soon."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest

from ratemlx.runtime.stopping import interrupts_handled
from ratemlx.runtime.workers import Workers


@pytest.fixture(params=[1, 3])
def workers(request: pytest.FixtureRequest) -> Workers:
    return Workers(request.param)


def test_every_part_is_done_once(workers: Workers) -> None:
    found: list[int] = []
    workers(found.append, range(20))
    assert sorted(found) == list(range(20))


def test_a_fault_is_raised_and_ends_the_rest(workers: Workers) -> None:
    begun: list[int] = []
    with pytest.raises(ZeroDivisionError):
        workers(_failing_at(2, begun), range(1000))
    assert len(begun) < 100
    assert not working()


def test_an_interrupt_ends_the_rest() -> None:
    begun: list[int] = []
    timer = threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,))
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupts_handled():
        _begin(timer, lambda: Workers(3)(_failing_at(-1, begun), range(10_000)))
    assert time.monotonic() - started < 5.0
    timer.join()
    assert not working(), "nobody works on"


def test_who_has_given_up_begins_nothing(workers: Workers) -> None:
    workers.give_up()
    with pytest.raises(CancelledError):
        workers(lambda _: pytest.fail("it was begun"), range(5))


def working() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ratemlx-worker"]


def _begin(timer: threading.Timer, action: Callable[[], None]) -> None:
    timer.start()
    action()


def _failing_at(place: int, begun: list[int]) -> Callable[[int], None]:
    def work(part: int) -> None:
        begun.append(part)
        time.sleep(0.005)
        if part == place:
            raise ZeroDivisionError

    return work
