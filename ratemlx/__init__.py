"""From a mean-field model in XML to kernels that sweep whole-brain networks on CPUs and GPUs.

Names are imported when they are used, so that `import ratemlx` is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ratemlx import errors
    from ratemlx.fitness.settings import FitnessSettings
    from ratemlx.load import load
    from ratemlx.observables.settings import Balloon, BoldSettings
    from ratemlx.runtime.connectome import Connectome
    from ratemlx.runtime.open_folder import open_result
    from ratemlx.runtime.result import Result
    from ratemlx.runtime.stimulus import Stimulus
    from ratemlx.simulate import simulate

__version__: str
__all__ = [
    "Balloon",
    "BoldSettings",
    "Connectome",
    "FitnessSettings",
    "Result",
    "Stimulus",
    "__version__",
    "errors",
    "load",
    "open_result",
    "simulate",
]

_MODULES = {
    "Balloon": "ratemlx.observables.settings",
    "BoldSettings": "ratemlx.observables.settings",
    "Connectome": "ratemlx.runtime.connectome",
    "FitnessSettings": "ratemlx.fitness.settings",
    "Result": "ratemlx.runtime.result",
    "Stimulus": "ratemlx.runtime.stimulus",
    "load": "ratemlx.load",
    "open_result": "ratemlx.runtime.open_folder",
    "simulate": "ratemlx.simulate",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("ratemlx")
    if name == "errors":
        return import_module("ratemlx.errors")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `load` and `simulate` the functions, which importing the modules of those names would hide."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
