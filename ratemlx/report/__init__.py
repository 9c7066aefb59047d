"""From a folder of results to things to look at: a page in one HTML file, and static figures.

Reads what a run left behind; simulates nothing and evaluates no metric. Names are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ratemlx.report.page import write_report
    from ratemlx.report.plot import Request, write_figure

__all__ = ["Request", "write_figure", "write_report"]

_MODULES = {"Request": "plot", "write_figure": "plot", "write_report": "page"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
