"""Progress of a run: a bar on a terminal, plain lines elsewhere, or nothing.

Knows steps and seconds only. Everything goes to standard error, so that standard output holds results alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from ratemlx.runtime.arrays import seconds_text

LINE_SECONDS = 10.0


class Progress:
    """Says nothing; what a library call uses, and every rank of a parallel run but the first."""

    def announce(self, lines: Sequence[str]) -> None:
        """The plan, before anything runs."""

    def warn(self, line: str) -> None:
        """What the user should know in any case."""

    def begin(self, total: int) -> None:
        """Work begins; `total` counts instances times steps."""

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
        self._total = 1
        self._done = 0
        self._started = self._told = time.monotonic()

    def announce(self, lines: Sequence[str]) -> None:
        """The plan, line by line."""
        for line in lines:
            self._say(line)

    def warn(self, line: str) -> None:
        """Say it."""
        self._say(f"warning: {line}")

    def begin(self, total: int) -> None:
        """Remember when work began."""
        self._total, self._done = max(total, 1), 0
        self._started = self._told = time.monotonic()

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
            self._say(f"{self._done / self._total:6.1%} done, {seconds_text(left)} left")

    def end(self) -> None:
        """Say how long it took."""
        self._say(f"{self._done / self._total:6.1%} done in {seconds_text(time.monotonic() - self._started)}")

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class BarProgress(LineProgress):
    """A bar with the time left, for terminals."""

    def begin(self, total: int) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        super().begin(total)
        columns = (TextColumn("simulating"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(file=self._stream), transient=True)
        self._task = self._bar.add_task("", total=self._total)
        self._bar.start()

    def advance(self, done: int) -> None:
        """Move the bar."""
        self._done += done
        self._bar.advance(self._task, done)

    def end(self) -> None:
        """Take the bar away and say how long it took."""
        self._bar.stop()
        super().end()


def progress_for(stream: TextIO | None = None, *, quiet: bool = False) -> Progress:
    """The kind of progress that suits where messages go."""
    stream = stream or sys.stderr
    if quiet:
        return Warnings(stream)
    return BarProgress(stream) if stream.isatty() else LineProgress(stream)
