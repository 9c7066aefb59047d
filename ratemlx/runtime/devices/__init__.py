"""Devices by name. Adapters are imported when they are asked for."""

from __future__ import annotations

from ratemlx.errors import DeviceError
from ratemlx.runtime.arrays import did_you_mean
from ratemlx.runtime.devices.base import Device

DEVICES = ("cpu", "cuda-emulation")


def open_device(name: str, threads: int | None = None) -> Device:
    """The device called `name`; `threads` is for the CPU. Raises DeviceError if there is none of that name."""
    if name == "cpu":
        from ratemlx.runtime.devices.cpu import CpuDevice

        return CpuDevice(threads)
    if name == "cuda-emulation":
        from ratemlx.runtime.devices.emulation import EmulationDevice

        return EmulationDevice(threads)
    raise DeviceError(f"there is no device {name!r}", did_you_mean(name, DEVICES))
