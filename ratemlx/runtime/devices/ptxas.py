"""What ptxas, the last stage of both CUDA compilers, reports of a kernel's functions: registers, spills, memory.

Knows its words, and no kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTION = re.compile(
    r"Compiling entry function '(?P<name>\w+)'.*?(?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers(?P<rest>[^\n]*)",
    re.DOTALL,
)
SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class Usage:
    """What one kernel function takes: registers of a thread, bytes spilled by it, bytes shared by a thread block."""

    function: str
    registers: int
    spilled_bytes: int
    shared_bytes: int


def usages(report: str) -> Iterator[Usage]:
    """What each function takes, by the report of `ptxas -v`; nothing of a report in other words."""
    for match in FUNCTION.finditer(report):
        shared = SHARED.search(match["rest"])
        spilled = int(match["stores"]) + int(match["loads"])
        yield Usage(match["name"], int(match["registers"]), spilled, int(shared[1]) if shared else 0)
