"""Runs generated kernels: connectome, sweep, plan, devices, results.

Knows the ABI and the manifest; nothing of XML, SymPy or templates, so that a generated folder and this package are
all that a compute node needs. Names are imported when they are used: `import ratemlx.runtime` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ratemlx.runtime.ahead import compile_run
    from ratemlx.runtime.connectome import Connectome
    from ratemlx.runtime.connectome_files import load_connectome
    from ratemlx.runtime.open_folder import open_result
    from ratemlx.runtime.result import Result
    from ratemlx.runtime.simulation import plan_run, run
    from ratemlx.runtime.spec import RunSpec

__all__ = ["Connectome", "Result", "RunSpec", "compile_run", "load_connectome", "open_result", "plan_run", "run"]

_MODULES = {
    "Connectome": "connectome",
    "Result": "result",
    "RunSpec": "spec",
    "compile_run": "ahead",
    "load_connectome": "connectome_files",
    "open_result": "open_folder",
    "plan_run": "simulation",
    "run": "simulation",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
