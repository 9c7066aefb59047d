"""Lengths of time and parts of a sweep, as users write them on a command line; raises SweepError."""

from __future__ import annotations

import re

from ratemlx.errors import SweepError

MAX_PARTS = 100_000


def parse_duration(text: str) -> float:
    """Seconds of a time as Slurm writes it: minutes, HH:MM:SS or MM:SS, D-HH, D-HH:MM or D-HH:MM:SS."""
    found = re.fullmatch(r"(?:(?P<days>\d{1,4})-)?(?P<rest>\d{1,6}(?::\d{1,2}){0,2})", text.strip())
    if found is None:
        raise SweepError(f"{text!r} is not a length of time", "write minutes, HH:MM:SS or D-HH:MM:SS")
    parts = [int(item) for item in found["rest"].split(":")]
    if found["days"] is not None:
        hours, minutes, seconds = (*parts, 0, 0)[:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, (minutes, seconds) = 0, (*parts, 0)[:2]
    total = int(found["days"] or 0) * 86_400 + hours * 3600 + minutes * 60 + seconds
    if not total:
        raise SweepError(f"a run cannot end in good time within {text}")
    return float(total)


def parse_part(text: str) -> tuple[int, int]:
    """I/N, with I from 0 to N - 1."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
    if found is None:
        raise SweepError(f"{text!r} is not a part of a sweep", "write I/N, such as 0/8 for the first of eight parts")
    index, count = int(found[1]), int(found[2])
    if not 0 <= index < count <= MAX_PARTS:
        raise SweepError(f"there is no part {index} of {count}", "parts are counted from 0")
    return index, count
