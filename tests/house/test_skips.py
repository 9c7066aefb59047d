"""Only tests that need a GPU may be skipped: a tool that is missing is a failure, or nobody notices."""

from __future__ import annotations

import re

from tests.house.sources import CHECKOUT

SKIPPING = re.compile(r"pytest\.(skip|importorskip)\(|mark\.skip(if)?\b|unittest\.skip")
ALLOWED = ("tests/gpu/", "tests/house/test_skips.py")
"""Where there is no GPU, what is in the first is skipped."""
ELSEWHERE = {"tests/support/slurm.py": 1, "tests/survival/test_faults.py": 1, "tests/store/test_read_only.py": 1}
"""Skips where daemons or mounted file systems are not to be had: not a tool's lack, but the machine's."""


def test_only_tests_of_gpus_are_skipped() -> None:
    found = {}
    for path in sorted((CHECKOUT / "tests").rglob("*.py")):
        name = path.relative_to(CHECKOUT).as_posix()
        skips = len(SKIPPING.findall(path.read_text(encoding="utf-8")))
        if skips and not name.startswith(ALLOWED):
            found[name] = skips
    assert found.items() <= ELSEWHERE.items()
