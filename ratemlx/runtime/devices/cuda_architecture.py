"""Names of GPU architectures, such as sm_90, and which code runs where."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ratemlx.errors import DeviceError

VARIABLE = "RATEMLX_CUDA_ARCH"
EXAMPLES = "sm_80 (A100), sm_89 (L4, RTX 4090), sm_90 (H100, H200), ..."
OLDEST = (7, 0)
"""Oldest compute capability that kernels are written for (Volta)."""


@dataclass(frozen=True)
class Architecture:
    """A compute capability; code with a suffix (sm_90a) runs on exactly that one."""

    major: int
    minor: int
    suffix: str = ""

    def __str__(self) -> str:
        return f"sm_{self.major}{self.minor}{self.suffix}"

    def runs_on(self, other: Architecture) -> bool:
        """Whether device code for this architecture runs on a device of another one."""
        if self.suffix == "a":
            return (self.major, self.minor) == (other.major, other.minor)
        return self.major == other.major and self.minor <= other.minor


def parse_architecture(text: str) -> Architecture:
    """sm_90, 90 or 9.0; raises DeviceError for anything else, and for architectures that are too old."""
    match = re.fullmatch(r"(?:sm_|compute_)?(\d{1,2})\.?(\d)([af]?)", text.strip().lower())
    if match is None:
        raise DeviceError(f"{text!r} is no GPU architecture", EXAMPLES)
    found = Architecture(int(match[1]), int(match[2]), match[3])
    if (found.major, found.minor) < OLDEST:
        raise DeviceError(f"{found} is too old: {Architecture(*OLDEST)} is the oldest that kernels are written for")
    return found


def chosen_architecture() -> Architecture | None:
    """$RATEMLX_CUDA_ARCH, or None where it is not set."""
    text = os.environ.get(VARIABLE, "").strip()
    return parse_architecture(text) if text else None
