"""Target `tvb`: a Python module with a model class, and a coupling class, for The Virtual Brain."""

from __future__ import annotations

from ratemlx.ir.model import Model
from ratemlx.targets.base import Target
from ratemlx.targets.kernel_files import lookup
from ratemlx.targets.tvb_module import module_text


def render(model: Model) -> dict[str, str]:
    """The module of a model, by file name."""
    text = lookup().get_template("/tvb/model.py.mako").render(m=module_text(model))
    return {f"{model.name}.py": str(text)}


TARGET = Target("tvb", "Python module with a model class and a coupling class for The Virtual Brain", render)
