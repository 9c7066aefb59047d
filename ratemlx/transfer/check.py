"""Check that a transfer function keeps its promises before anything uses it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ratemlx.errors import PluginError
from ratemlx.transfer.base import Coefficient, TransferFunction

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def check_function(function: TransferFunction, origin: str) -> None:
    """Raise PluginError, naming `origin`, for bad names, unknown symbols, a wrong order or missing outputs."""

    def refuse(message: str, hint: str | None = None) -> None:
        raise PluginError(f"transfer function '{function.name}' ({origin}): {message}", hint)

    inputs = [item.name for item in function.arguments] + [item.name for item in function.coefficients]
    names = [*inputs, *(name for name, _ in function.statements)]
    for name in (function.name, *names):
        if not _NAME.fullmatch(name):
            refuse(f"'{name}' is no name", "a name begins with a letter; letters, digits and '_' follow")
    if repeated := _first_repeated(names):
        refuse(f"the name '{repeated}' is used twice")
    if not function.arguments:
        refuse("it has no argument")
    known = {item.name for item in function.arguments}
    for coefficient in function.coefficients:
        known.update(coefficient_names(coefficient))
        if not _default_fits(coefficient):
            refuse(f"the default of coefficient '{coefficient.name}' has the wrong size or is not finite")
    for name, expression in function.statements:
        for symbol in sorted(expression.free_symbols, key=str):
            if symbol.name not in known:
                refuse(f"statement '{name}' uses '{symbol.name}', which nothing before it defines")
            if not symbol.is_real:
                refuse(f"statement '{name}' uses '{symbol.name}', which is not declared real", "Symbol(..., real=True)")
        known.add(name)
    statements = {name for name, _ in function.statements}
    if not function.outputs:
        refuse("it has no output")
    for output, _ in function.outputs:
        if output not in statements:
            refuse(f"the output '{output}' is not the name of a statement")


def coefficient_names(coefficient: Coefficient) -> tuple[str, ...]:
    """The names of a coefficient's values in the statements: `g_L`, or `P[0]`, `P[1]`, ..."""
    if coefficient.size is None:
        return (coefficient.name,)
    return tuple(f"{coefficient.name}[{index}]" for index in range(coefficient.size))


def _default_fits(coefficient: Coefficient) -> bool:
    default = coefficient.default
    if default is None:
        return True
    if isinstance(default, tuple):
        return len(default) == coefficient.size and all(math.isfinite(value) for value in default)
    return coefficient.size is None and math.isfinite(default)


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
