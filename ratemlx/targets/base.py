"""What a target is: a name and the files it makes of a model. Targets are found by looking, not listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import ratemlx.targets
from ratemlx.ir.model import Model


@dataclass(frozen=True)
class Target:
    """A kind of output; `render` gives the text of every file by name."""

    name: str
    description: str
    render: Callable[[Model], dict[str, str]]


@cache
def targets() -> dict[str, Target]:
    """All targets by name: every module of this package that defines TARGET."""
    found = {}
    for info in pkgutil.iter_modules(ratemlx.targets.__path__):
        target = getattr(importlib.import_module(f"ratemlx.targets.{info.name}"), "TARGET", None)
        if isinstance(target, Target):
            found[target.name] = target
    return dict(sorted(found.items()))
