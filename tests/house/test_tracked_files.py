"""What no tracked file may contain: unfinished work, and traces of the machine it was written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT, tracked_files

FORBIDDEN = {
    "unfinished work": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    "a path of one machine": re.compile(r"(?<![\w.])/(wo" + r"rk|ro" + r"ot|tm" + r"p/v)/"),
    "a ticket's number": re.compile(r"\b(issue|ticket) #?\d", re.IGNORECASE),
}
LARGEST_FILE = 2**20


def _texts() -> list[tuple[Path, str]]:
    return [
        (path.relative_to(CHECKOUT), path.read_bytes().decode("utf-8", errors="replace")) for path in tracked_files()
    ]


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_file_contains(kind: str) -> None:
    found = [f"{path}: {match[0]}" for path, text in _texts() for match in FORBIDDEN[kind].finditer(text)]
    assert found == []


def test_no_tracked_file_is_large() -> None:
    assert [path for path in tracked_files() if path.stat().st_size > LARGEST_FILE] == []


def test_the_license_is_apache_2() -> None:
    text = (CHECKOUT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
