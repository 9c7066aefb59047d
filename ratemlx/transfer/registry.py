"""Which transfer functions there are: those built in, those of installed packages, those of plugin files.

A built-in one is any TransferFunction that a module of `ratemlx.transfer` holds; adding a module is enough.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import ratemlx.transfer
from ratemlx.errors import PluginError
from ratemlx.transfer.base import TransferFunction
from ratemlx.transfer.check import check_function


@dataclass(frozen=True)
class TransferRegistry:
    """Transfer functions by name."""

    functions: Mapping[str, TransferFunction]

    def get(self, name: str) -> TransferFunction:
        """The function of that name; raises PluginError if there is none."""
        if name not in self.functions:
            raise PluginError(f"there is no transfer function '{name}'", f"there are {', '.join(self.names())}")
        return self.functions[name]

    def names(self) -> tuple[str, ...]:
        """All names, in alphabetical order."""
        return tuple(sorted(self.functions))

    def with_functions(self, functions: Iterable[TransferFunction], origin: str) -> TransferRegistry:
        """A registry with more functions; raises PluginError for a name that is taken, or a faulty function."""
        merged = dict(self.functions)
        for function in functions:
            check_function(function, origin)
            if function.name in merged:
                message = f"{origin} defines the transfer function '{function.name}', which exists already"
                raise PluginError(message, "choose another name")
            merged[function.name] = function
        return TransferRegistry(merged)


@cache
def builtin_registry() -> TransferRegistry:
    """The transfer functions that ratemlx brings along."""
    registry = TransferRegistry({})
    for info in pkgutil.iter_modules(ratemlx.transfer.__path__):
        module = importlib.import_module(f"ratemlx.transfer.{info.name}")
        registry = registry.with_functions(defined_in(module), module.__name__)
    return registry


def default_registry(plugin_files: Sequence[Path] = ()) -> TransferRegistry:
    """Built-in functions, those of installed packages, and those of plugin files; raises PluginError."""
    from ratemlx.plugins import holds_extension, installed_functions, load_file

    registry = builtin_registry()
    for origin, functions in installed_functions():
        registry = registry.with_functions(functions, origin)
    for path in plugin_files:
        module = load_file(Path(path))
        functions = defined_in(module)
        if not holds_extension(module):
            raise PluginError(
                f"{path} defines no transfer function", "use the decorator ratemlx.transfer.transfer_function"
            )
        registry = registry.with_functions(functions, str(path))
    return registry


def defined_in(module: ModuleType) -> tuple[TransferFunction, ...]:
    """The transfer functions that a module holds, each once."""
    found = [value for name, value in vars(module).items() if isinstance(value, TransferFunction)]
    return tuple({id(function): function for function in found}.values())
