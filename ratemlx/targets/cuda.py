"""Target `cuda`: a CUDA kernel, a thread for each region of each instance."""

from __future__ import annotations

from ratemlx.ir.model import Model
from ratemlx.targets.base import Target
from ratemlx.targets.kernel_files import render_kernel


def render(model: Model) -> dict[str, str]:
    """The files of a model's CUDA kernel, by name."""
    return render_kernel(model, "cuda", "/cuda/kernel.cu.mako", ".cu")


TARGET = Target("cuda", "CUDA kernel (a thread for each region of each instance)", render)
