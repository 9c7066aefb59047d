"""Devices by name. Adapters are imported when they are asked for."""

from __future__ import annotations

from ratemlx.errors import DeviceError
from ratemlx.runtime.arrays import did_you_mean
from ratemlx.runtime.devices.base import Device

DEVICES = ("cpu", "cuda-emulation")
ON_GPUS = "this version generates CUDA source that nvcc compiles; running it on a GPU comes with the next version"
INSTEAD = "sweep on the cpu; cuda-emulation runs the CUDA source on the host, slowly, for tests"


def open_device(name: str, threads: int | None = None) -> Device:
    """The device called `name`; `threads` is for the CPU. Raises DeviceError if there is none of that name."""
    if name == "cpu":
        from ratemlx.runtime.devices.cpu import CpuDevice

        return CpuDevice(threads)
    if name == "cuda-emulation":
        from ratemlx.runtime.devices.emulation import EmulationDevice

        return EmulationDevice(threads)
    raise unknown_device(name)


def unknown_device(name: object) -> DeviceError:
    """What to say of a device that there is not, or not yet."""
    if str(name).lower().partition(":")[0] in ("cuda", "gpu"):
        return DeviceError(f"there is no device {name!r} yet: {ON_GPUS}", INSTEAD)
    return DeviceError(f"there is no device {name!r}", did_you_mean(str(name), DEVICES))
