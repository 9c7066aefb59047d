"""The source of a generated folder's kernel, if a device runs kernels of its kind."""

from __future__ import annotations

from pathlib import Path

from ratemlx.abi import Manifest
from ratemlx.errors import KernelError
from ratemlx.runtime.devices.base import Target


def kernel_file(folder: Path, manifest: Manifest, target: Target, device: str) -> Path:
    """Its path; raises KernelError, which names the device, for a kernel that is for others."""
    if manifest.target != target:
        raise KernelError(f"{folder} holds a {manifest.target} kernel; {device} runs {target} kernels")
    if Path(manifest.kernel).name != manifest.kernel:
        raise KernelError(f"the manifest names a kernel outside its folder: {manifest.kernel!r}")
    return folder / manifest.kernel
