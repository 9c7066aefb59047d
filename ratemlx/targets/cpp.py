"""Target `cpp`: a C++ kernel for the CPU, a SIMD vector of instances at a time."""

from __future__ import annotations

from ratemlx.ir.model import Model
from ratemlx.targets.base import Target
from ratemlx.targets.kernel_files import render_kernel


def render(model: Model) -> dict[str, str]:
    """The files of a model's CPU kernel, by name."""
    return render_kernel(model, "cpp", "/cpp/kernel.cpp.mako", ".cpp")


TARGET = Target("cpp", "C++ kernel for the CPU (SIMD over instances, threads over tiles)", render)
