"""Values that a job script is made of: what Slurm understands, and nothing that a shell or sbatch could take for more.

Names are held to a list of harmless characters; paths may have blanks and letters of any script, and are quoted.
"""

from __future__ import annotations

import re

from ratemlx.errors import ClusterError

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:+@%=/\[\]-]*", re.ASCII)
KEY = re.compile(r"[a-z][a-z-]*", re.ASCII)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
SHELL = frozenset(";$`|&<>\"'\\!*?(){}")
MAX_LENGTH = 4096
CLOCK = re.compile(r"(?:(?P<days>\d{1,3})-)?(?P<hours>\d{1,4}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)", re.ASCII)
MINUTES = re.compile(r"\d{1,6}", re.ASCII)
MAX_COUNT = 1_000_000
MAX_LEAD = 65_535
"""Seconds before the limit at which Slurm can be told to send a signal, at most."""


def check_name(what: str, text: str) -> str:
    """A name that Slurm, modules or a registry know; raises ClusterError for what no such name holds."""
    if len(text) > MAX_LENGTH or not NAME.fullmatch(text):
        raise ClusterError(
            f"{what} cannot be {_shown(text)}",
            "letters, digits and any of . , : + @ % = / [ ] _ - are allowed, and no - at the beginning",
        )
    return text


def check_path(what: str, text: str) -> str:
    """A path or an image; raises ClusterError for characters of the shell, line breaks and a leading dash."""
    if not text.strip():
        raise ClusterError(f"{what} has no name")
    if text.startswith("-") or len(text) > MAX_LENGTH or not text.isprintable() or SHELL & set(text):
        raise ClusterError(
            f"{what} cannot be {_shown(text)}",
            "a path in a job script has no line break, nothing that a shell acts on, and no - at the beginning",
        )
    return text


def check_argument(text: str) -> str:
    """An argument of the run, which is quoted; raises ClusterError for line breaks and other control characters."""
    if not text.isprintable() or len(text) > MAX_LENGTH:
        raise ClusterError(
            f"an argument in a job script cannot be {_shown(text)}",
            "leave out line breaks and control characters; what is long belongs into a file (--points FILE)",
        )
    return text


def check_key(text: str) -> str:
    """The long name of an option of sbatch without its dashes; raises ClusterError."""
    if not KEY.fullmatch(text):
        raise ClusterError(f"sbatch has no option {_shown(text)}", "write its long name without dashes, such as qos")
    return text


def check_variable(text: str) -> str:
    """The name of an environment variable; raises ClusterError."""
    if not VARIABLE.fullmatch(text):
        raise ClusterError(f"an environment variable cannot be called {_shown(text)}")
    return text


def check_count(what: str, value: int, least: int = 1, most: int = MAX_COUNT) -> int:
    """A whole number within bounds; raises ClusterError."""
    if not least <= value <= most:
        raise ClusterError(f"{what} must be from {least:,} to {most:,}; it is {value:,}")
    return value


def time_seconds(text: str) -> int:
    """Seconds of a time limit: HH:MM:SS, D-HH:MM:SS or minutes; raises ClusterError."""
    clock = CLOCK.fullmatch(text)
    if clock is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        if days and hours > 23:
            raise ClusterError(f"cannot read the time limit {text!r}", "with days, hours are at most 23")
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    elif MINUTES.fullmatch(text):
        total = 60 * int(text)
    else:
        raise ClusterError(
            f"cannot read the time limit {_shown(text)}",
            "write HH:MM:SS, D-HH:MM:SS or minutes; MM:SS is refused, as 02:00 would be two minutes to Slurm",
        )
    if total == 0:
        raise ClusterError("the time limit is zero, which Slurm takes for none", "say how long the job may run")
    return total


def _shown(text: str) -> str:
    """The text as Python writes it, so that nothing in it acts on a terminal."""
    return ascii(text if len(text) <= 100 else text[:100] + "...")
