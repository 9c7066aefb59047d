"""Transfer functions and metrics from outside: installed packages and plugin files.

A plugin is code and runs as such: packages are chosen by installing them, files by naming them. One file may hold
extensions of several kinds; each kind's registry takes its own.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ratemlx.errors import PluginError

if TYPE_CHECKING:
    from ratemlx.transfer.base import TransferFunction

GROUP = "ratemlx.transfer_functions"


def installed_functions() -> Iterator[tuple[str, tuple[TransferFunction, ...]]]:
    """Where from, and which functions: each entry point names a TransferFunction, or a module that holds some."""
    from ratemlx.transfer.base import TransferFunction
    from ratemlx.transfer.registry import defined_in

    for origin, found in installed_objects(GROUP):
        if isinstance(found, ModuleType):
            yield origin, defined_in(found)
        elif isinstance(found, TransferFunction):
            yield origin, (found,)
        else:
            raise PluginError(f"{origin} is neither a TransferFunction nor a module", "see the tutorial")


def installed_objects(group: str) -> Iterator[tuple[str, object]]:
    """Where from, and what: all that the entry points of a group name; raises PluginError if one cannot be loaded."""
    for point in sorted(entry_points(group=group), key=lambda item: (item.name, item.value)):
        origin = f"entry point {point.name} = {point.value}"
        try:
            found = point.load()
        except Exception as error:
            hint = "repair or uninstall the package that brings it"
            raise PluginError(f"{origin} cannot be loaded: {error}", hint) from error
        yield origin, found


def holds_extension(module: ModuleType) -> bool:
    """True if a module holds an extension of any kind: their classes say so by an attribute `ratemlx_extension`."""
    return any(hasattr(type(value), "ratemlx_extension") for value in vars(module).values())


def load_file(path: Path) -> ModuleType:
    """Run a Python file as a module; raises PluginError with the line at which it fails."""
    if not path.is_file():
        raise PluginError(f"there is no plugin file {path}")
    spec = importlib.util.spec_from_file_location(f"ratemlx_plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file", "a plugin's name ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except PluginError:
        raise
    except SyntaxError as error:
        raise PluginError(f"{error.filename}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = f"{path}:{lines[-1]}" if lines else str(path)
        raise PluginError(f"{place}: {type(error).__name__}: {error}") from error
    return module
