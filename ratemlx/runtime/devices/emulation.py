"""Generated CUDA kernels run on the host, thread after thread: for checking them where there is no GPU.

All but the kind of folder is the CPU device's: the `.cu` file includes an emulation of the device when the compiler is
not nvcc, and exports the entry points of a CPU kernel.
"""

from __future__ import annotations

from ratemlx.abi import Precision
from ratemlx.runtime.devices.base import Target
from ratemlx.runtime.devices.cpu import CpuDevice

THREADS_PER_BLOCK = 32
"""A warp, as on a device."""


class EmulationDevice(CpuDevice):
    """A CUDA device played by `threads` cores of this machine (all that the process may use if None)."""

    target: Target = "cuda"

    @property
    def name(self) -> str:
        """The machine that plays it."""
        return f"CUDA emulated on {super().name}"

    def lanes(self, precision: Precision) -> int:  # noqa: ARG002
        """Instances that a block of threads holds, whatever the precision."""
        return THREADS_PER_BLOCK
