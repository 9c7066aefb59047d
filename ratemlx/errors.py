"""What can go wrong, as one tree.

    RatemlxError              a user's error: one clear message, exit code 2
    ├── ModelError            the model file (all its diagnostics together)
    ├── PluginError           a transfer function or another extension
    ├── ConnectomeError       weights, tract lengths, region labels
    ├── SweepError            what to sweep, parameter values, the plan
    ├── KernelError           a generated folder that is missing, stale or does not compile
    ├── DeviceError           no compiler, no GPU, too little memory
    │   └── DeviceMemoryError an allocation that failed; smaller batches may fit
    ├── ResultError           reading and writing results
    └── ClusterError          how processes were launched, job scripts, descriptions of clusters
    InternalError             a bug of ours, said as such

Knows places in a text and nothing else of the project.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ratemlx.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Diagnostic:
    """One fault or remark: a stable code, what is wrong, where, and what to do about it."""

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None
    severity: Severity = "error"

    def render(self) -> str:
        """The message as shown to a user: place, text, excerpt with caret, hint."""
        lines = [readable(f"{self._place()}{self.severity}: {self.message} [{self.code}]")]
        if self.span is not None:
            lines += excerpt(self.span)
        if self.hint:
            lines.append(readable(f"  hint: {self.hint}"))
        return "\n".join(lines)

    def _place(self) -> str:
        if self.span is None:
            return ""
        return f"{self.span.source.name}:{self.span.line}:{self.span.column}: "


EXCERPT_WIDTH = 100
SHOWN_DIAGNOSTICS = 50


def excerpt(span: Span) -> list[str]:
    """The line of a span, shortened around the place, and a caret line below it."""
    line, column = span.line, span.column
    text = span.source.line(line)
    first = max(0, min(column - 1 - EXCERPT_WIDTH // 3, len(text) - EXCERPT_WIDTH))
    shown = visible(text[first : first + EXCERPT_WIDTH])
    offset = column - 1 - first
    width = max(1, min(span.end - span.start, len(shown) - offset))
    number = str(line)
    return [
        f"  {number} | {shown}",
        f"  {' ' * len(number)} | {' ' * offset}{'^' * width}",
    ]


def visible(text: str) -> str:
    """One line, in which characters that a terminal would obey, or that turn text around, are seen: one for each."""
    return "".join(char if char.isprintable() else "�" if char not in "\t\n" else " " for char in text)


def readable(text: str) -> str:
    """The same of several lines: names that users and files bring along are part of messages."""
    return "\n".join(map(visible, text.split("\n")))


class RatemlxError(Exception):
    """A user's error: a message, and a hint that says what to do.

    `str()` of it is the whole message as shown on the command line.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        return readable(f"error: {self.message}" + (f"\n  hint: {self.hint}" if self.hint else ""))


class ModelError(RatemlxError):
    """A model file has faults; `diagnostics` holds all of them in the order of the file, the message the first."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        lines = [item.render() for item in self.diagnostics[:SHOWN_DIAGNOSTICS]]
        if (more := len(self.diagnostics) - SHOWN_DIAGNOSTICS) > 0:
            lines.append(f"… and {more:,} more")
        super().__init__("\n".join(lines))

    def __str__(self) -> str:
        return self.message


class PluginError(RatemlxError):
    """A transfer function or another extension cannot be used."""


class ConnectomeError(RatemlxError):
    """Weights, tract lengths or region labels cannot be used."""


class SweepError(RatemlxError):
    """A sweep, a parameter value or the plan made from them cannot be used."""


class KernelError(RatemlxError):
    """A generated folder is missing, does not fit this version, or does not compile."""


class DeviceError(RatemlxError):
    """No compiler, no GPU, or too little memory."""


class DeviceMemoryError(DeviceError):
    """An array could not be allocated on a device."""


class MetricError(RatemlxError):
    """A metric is unknown, or a recording is too short for it."""


class ResultError(RatemlxError):
    """Results cannot be read or written."""


class ClusterError(RatemlxError):
    """Processes were not launched as they should be, or a job script or a cluster's description cannot be used."""


EXIT_BUG = 70
"""Exit code of a fault of ratemlx itself (EX_SOFTWARE of sysexits.h)."""

BUG_REPORT = "This is a bug in ratemlx. Please report it with the lines above and the command that led to it."


class InternalError(Exception):
    """A fault of ratemlx itself, never of its user."""

    def __str__(self) -> str:
        return f"internal error (a bug in ratemlx, please report it): {super().__str__()}"
