"""Devices by name. Adapters are imported when they are asked for."""

from __future__ import annotations

from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.devices.names import CUDA, DEVICES, EMULATION, parse_device

__all__ = ["DEVICES", "open_device", "parse_device"]


def open_device(name: str, threads: int | None = None, arch: str | None = None) -> Device:
    """The device called `name`; raises DeviceError if there is none of that name, or none there.

    `threads` is for the CPU. `arch` is the GPU architecture to compile for, such as sm_80; $RATEMLX_CUDA_ARCH, or the
    GPU's own, if None.
    """
    wanted = parse_device(name)
    if wanted.kind == CUDA:
        from ratemlx.runtime.devices.cuda_open import open_cuda

        return open_cuda(wanted.binding, wanted.number or 0, arch)
    if wanted.kind == EMULATION:
        from ratemlx.runtime.devices.emulation import EmulationDevice

        return EmulationDevice(threads)
    from ratemlx.runtime.devices.cpu import CpuDevice

    return CpuDevice(threads)
