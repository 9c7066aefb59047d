"""Settings as they are written on a command line: `tau=10`, `eta=@regions.csv`, stimuli and their patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ratemlx.errors import ResultError, SweepError
from ratemlx.runtime.regional import FILE_MARK
from ratemlx.runtime.stimulus import Stimulus
from ratemlx.runtime.sweep_text import parse_number


def parse_settings(texts: Iterable[str]) -> dict[str, float]:
    """Numbers of `NAME=VALUE`; raises SweepError for anything else."""
    return {name: parse_number(value, name) for name, value in _pairs(texts, "setting", "NAME=VALUE")}


def parse_overrides(texts: Iterable[str]) -> dict[str, float | str]:
    """Numbers of `NAME=VALUE`, and `NAME=@FILE` as it stands; raises SweepError for anything else."""
    return {
        name: value if value.startswith(FILE_MARK) else parse_number(value, name)
        for name, value in _pairs(texts, "setting", "NAME=VALUE or NAME=@FILE")
    }


def parse_output(text: object) -> Path:
    """The folder for results; raises ResultError for an empty text, which would mean the folder of work."""
    if not isinstance(text, str | Path):
        raise ResultError(f"the folder for results must be a path; it is {text!r}")
    if not str(text).strip():
        raise ResultError("the folder for results has no name", "write . for the current folder")
    return Path(text)


def parse_stimuli(courses: Iterable[str], patterns: Iterable[str]) -> dict[str, Stimulus]:
    """Stimuli of `INPUT=COURSE`, with the patterns of `INPUT=@FILE` or `INPUT=REGION:VALUE,...`; raises SweepError."""
    found = {name: Stimulus(course) for name, course in _pairs(courses, "stimulus", "INPUT=COURSE")}
    for name, text in _pairs(patterns, "pattern", "INPUT=REGION:VALUE,... or INPUT=@FILE"):
        if name not in found:
            raise SweepError(f"a pattern for {name}, which has no stimulus", f"add --stimulus {name}=COURSE")
        found[name] = Stimulus(found[name].course, text if text.startswith(FILE_MARK) else dict(_regions(text, name)))
    return found


def _regions(text: str, name: str) -> Iterator[tuple[str, float]]:
    for part in text.split(","):
        label, colon, value = part.rpartition(":")
        yield (label.strip(), parse_number(value, f"{name}, {label}")) if colon else (part.strip(), 1.0)


def _pairs(texts: Iterable[str], what: str, form: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise SweepError(f"cannot read the {what} {text!r}", f"write {form}")
        if name in seen:
            raise SweepError(f"{name} is set twice")
        seen.add(name)
        yield name, value
