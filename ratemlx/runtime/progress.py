"""Progress of a run: a bar on a terminal, plain lines elsewhere, or nothing.

Simulating and analysing are counted in one unit, so that the time that is left covers both. Knows units, instances and
seconds only. Everything goes to standard error, so that standard output holds results alone.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from ratemlx.runtime.arrays import seconds_text

LINE_SECONDS = 10.0
SIMULATING = "simulating"
ANALYSING = "analysing"
KEEPING = "writing"
TIMES = (("s", 1), ("min", 60), ("h", 3600), ("day", 86_400))


class Progress:
    """Says nothing; what a library call uses, and every rank of a parallel run but the first."""

    def announce(self, lines: Sequence[str]) -> None:
        """The plan, before anything runs."""

    def warn(self, line: str) -> None:
        """What the user should know in any case."""

    def begin(self, total: int, instances: int) -> None:
        """Work on so many instances begins; `total` counts instances times steps, and their analysis in the same."""

    def stage(self, what: str) -> None:
        """What is done from now on: SIMULATING, ANALYSING or KEEPING."""

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:  # noqa: ARG002
        """While a kernel is compiled."""
        yield

    def advance(self, done: int) -> None:
        """More work is done, in the unit of `begin`."""

    def end(self) -> None:
        """Work is over, finished or not."""


class Warnings(Progress):
    """Says only what the user should know in any case."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def warn(self, line: str) -> None:
        """Say it."""
        print(f"warning: {line}", file=self._stream, flush=True)


class LineProgress(Progress):
    """A line every few seconds, for logs."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._total, self._instances = 1, 0
        self._done = 0
        self._stage = SIMULATING
        self._started = self._told = time.monotonic()

    def announce(self, lines: Sequence[str]) -> None:
        """The plan, line by line."""
        for line in lines:
            self._say(line)

    def warn(self, line: str) -> None:
        """Say it."""
        self._say(f"warning: {line}")

    def begin(self, total: int, instances: int) -> None:
        """Remember when work began."""
        self._total, self._instances, self._done = max(total, 1), instances, 0
        self._started = self._told = time.monotonic()

    def stage(self, what: str) -> None:
        """Remember it for the next line."""
        self._stage = what

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Say what is compiled and how long it took, unless it was in the cache."""
        started = time.monotonic()
        yield
        elapsed = time.monotonic() - started
        if elapsed > 0.5:
            self._say(f"compiled {what} in {elapsed:.1f} s")
            self._started += elapsed

    def advance(self, done: int) -> None:
        """Say how far it is when the last line is some seconds old."""
        self._done += done
        now = time.monotonic()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            left = (now - self._started) * (self._total - self._done) / max(self._done, 1)
            self._say(f"{self._share:6.1%} done, {self._stage}, {self._rate(now)}{seconds_text(left)} left")

    def end(self) -> None:
        """Say how long it took."""
        now = time.monotonic()
        rate = self._rate(now).removesuffix(", ")
        self._say(f"{self._share:6.1%} done in {seconds_text(now - self._started)}{', ' if rate else ''}{rate}")

    @property
    def _share(self) -> float:
        return self._done / self._total

    def _rate(self, now: float) -> str:
        """Instances per unit of time so far, with a comma; nothing where there are none."""
        finished, seconds = self._instances * self._share, now - self._started
        return f"{rate_text(finished / seconds)}, " if finished and seconds > 0 else ""

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class BarProgress(LineProgress):
    """A bar with the time left, for terminals."""

    def begin(self, total: int, instances: int) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        super().begin(total, instances)
        told = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}")
        columns = (*told, TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(file=self._stream), transient=True)
        self._task = self._bar.add_task(self._stage, total=self._total, rate="")
        self._bar.start()

    def stage(self, what: str) -> None:
        """Say it before the bar."""
        super().stage(what)
        self._bar.update(self._task, description=what)

    def advance(self, done: int) -> None:
        """Move the bar."""
        self._done += done
        rate = self._rate(time.monotonic()).removesuffix(", ")
        self._bar.update(self._task, advance=done, rate=rate)

    def end(self) -> None:
        """Take the bar away and say how long it took."""
        self._bar.stop()
        super().end()


class Analysed:
    """Counts instances that were analysed, on any thread; only the one that calls `tell` tells a progress of them."""

    def __init__(self, progress: Progress, units: int) -> None:
        self._progress, self._units = progress, units
        self._waiting: deque[int] = deque()
        self.seconds = 0.0
        """Time that was spent."""

    def add(self, instances: int, seconds: float) -> None:
        """Some more, and how long they took."""
        self.seconds += seconds
        self._waiting.append(instances * self._units)

    def tell(self) -> None:
        """Tell of all that were added."""
        while self._waiting:
            self._progress.advance(self._waiting.popleft())


def rate_text(per_second: float) -> str:
    """A rate for people: 1234.5 -> "1,234 instances/s", 0.05 -> "3 instances/min"."""
    name, seconds = next((item for item in TIMES if per_second * item[1] >= 1), TIMES[-1])
    value = per_second * seconds
    return f"{value:,.0f} instances/{name}" if value >= 100 else f"{value:.3g} instances/{name}"


def progress_for(stream: TextIO | None = None, *, quiet: bool = False) -> Progress:
    """The kind of progress that suits where messages go."""
    stream = stream or sys.stderr
    if quiet:
        return Warnings(stream)
    return BarProgress(stream) if stream.isatty() else LineProgress(stream)
