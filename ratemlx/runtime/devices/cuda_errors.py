"""What failures of NVIDIA's driver mean to a user: one message and one hint each.

The numbers are those of CUresult in CUDA's driver API; PyCUDA tells the driver's words only.
"""

from __future__ import annotations

import os

from ratemlx.errors import DeviceError, DeviceMemoryError, InternalError, KernelError
from ratemlx.runtime.devices.cuda_binding import CudaFailure

WORDS = {
    "out of memory": 2,
    "initialization error": 3,
    "CUDA driver is a stub library": 34,
    "CUDA-capable device(s) is/are busy or unavailable": 46,
    "no CUDA-capable device is detected": 100,
    "invalid device ordinal": 101,
    "device kernel image is invalid": 200,
    "no kernel image is available for execution on the device": 209,
    "uncorrectable ECC error encountered": 214,
    "a PTX JIT compilation failed": 218,
    "the provided PTX was compiled with an unsupported toolchain.": 222,
    "named symbol not found": 500,
    "an illegal memory access was encountered": 700,
    "too many resources requested for launch": 701,
    "the launch timed out and was terminated": 702,
    "device-side assert triggered": 710,
    "an illegal instruction was encountered": 715,
    "misaligned address": 716,
    "operation not supported on global/shared address space": 717,
    "invalid program counter": 718,
    "unspecified launch failure": 719,
    "unknown error": 999,
    "system not yet initialized": 802,
    "system has unsupported display driver / cuda driver combination": 803,
    "forward compatibility was attempted on non supported HW": 804,
}
"""cuGetErrorString of each failure that is explained here."""

OUT_OF_MEMORY, NOT_FOUND = 2, 500
NO_DEVICE, NO_SUCH_NUMBER, BUSY = 100, 101, 46
NO_DRIVER = (3, 34, 802, 803, 804, 999)
UNFIT_CODE = (200, 209, 218, 222)
FAULTS = (700, 710, 715, 716, 717, 718, 719)
CHECK = "`nvidia-smi` shows drivers and devices"
VISIBLE = "CUDA_VISIBLE_DEVICES"


def no_driver(detail: str) -> DeviceError:
    """What to say where the driver is not there or does not work."""
    return DeviceError(
        f"NVIDIA's driver does not answer: {detail}",
        f"{CHECK}; in a container, give it the GPUs (docker --gpus all, apptainer --nv). --target cpu needs none",
    )


def explain(failure: CudaFailure, where: str) -> Exception:
    """The error that a user is shown for a failure; `where` names the device and what speaks to it."""
    code = failure.code if failure.code is not None else WORDS.get(failure.text)
    if code == OUT_OF_MEMORY:
        return DeviceMemoryError(f"no memory is left on {where}", "use a smaller --batch-size")
    if code == NO_DEVICE:
        return _no_device()
    if code == NO_SUCH_NUMBER:
        return DeviceError(f"there is no such GPU: {where}{_visible()}", "GPUs are counted from 0: cuda:0, cuda:1, ...")
    if code == BUSY:
        return DeviceError(
            f"{where} is busy: another process has it to itself",
            f"choose another one (cuda:1, ...) or wait; {CHECK}",
        )
    if code in NO_DRIVER:
        return no_driver(failure.text)
    if code in UNFIT_CODE:
        return KernelError(
            f"{where} cannot load a compiled kernel: {failure.text}",
            "is the driver older than the CUDA toolkit that compiled it? update the driver, or use an older toolkit",
        )
    if code in FAULTS:
        return InternalError(f"a kernel failed on {where}: {failure.text} ({failure.call})")
    if code == 214:
        return DeviceError(f"{where} reports a memory error of its hardware", f"use another one; {CHECK}")
    if code == 701:
        return KernelError(
            f"{where} has too few registers or too little shared memory for a kernel", "try --precision float32"
        )
    if code == 702:
        return DeviceError(
            f"{where} ended a kernel that took too long: it also drives a display", "use a GPU without a display"
        )
    return DeviceError(f"{failure.call} failed on {where}: {failure.text}", CHECK)


def _no_device() -> DeviceError:
    hint = f"set {VISIBLE} to GPUs that there are, or unset it" if os.environ.get(VISIBLE) is not None else CHECK
    return DeviceError(f"there is no NVIDIA GPU that can be used{_visible()}", hint)


def _visible() -> str:
    chosen = os.environ.get(VISIBLE)
    return "" if chosen is None else f" ({VISIBLE} is {chosen!r})"
