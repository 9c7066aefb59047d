"""Names of devices as users write them: cpu, cuda-emulation, cuda, cuda:1, cuda:pycuda, cuda:cuda-core:1."""

from __future__ import annotations

from dataclasses import dataclass

from ratemlx.errors import DeviceError
from ratemlx.runtime.arrays import did_you_mean
from ratemlx.runtime.devices.base import Target

CPU, EMULATION, CUDA = "cpu", "cuda-emulation", "cuda"
BINDINGS = ("pycuda", "cuda-core")
DEVICES = (CPU, EMULATION, CUDA, *(f"{CUDA}:{binding}" for binding in BINDINGS))
TARGETS: dict[str, Target] = {CPU: "cpp", EMULATION: "cuda", CUDA: "cuda"}
"""Kinds of devices, and the kind of generated folder that each runs."""


@dataclass(frozen=True)
class DeviceName:
    """A device's kind; of a GPU also the package to reach it with and its number, None for the usual ones."""

    kind: str
    binding: str | None = None
    number: int | None = None

    @property
    def target(self) -> Target:
        """Which generated folder it runs."""
        return TARGETS[self.kind]

    def __str__(self) -> str:
        parts = (self.kind, self.binding, None if self.number is None else str(self.number))
        return ":".join(part for part in parts if part is not None)


def parse_device(name: object) -> DeviceName:
    """What a name means; raises DeviceError if nothing."""
    kind, *parts = name.strip().split(":") if isinstance(name, str) else [""]
    number = int(parts.pop()) if parts and parts[-1].isascii() and parts[-1].isdigit() else None
    binding = parts.pop() if parts and parts[-1] in BINDINGS else None
    if parts or kind not in TARGETS or (kind != CUDA and (binding, number) != (None, None)):
        hint = "cuda is the device" if str(name).lower() in ("gpu", "nvidia") else did_you_mean(str(name), DEVICES)
        raise DeviceError(f"there is no device {name!r}", hint)
    return DeviceName(kind, binding, number)
