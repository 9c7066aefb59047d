"""Plot a transfer function along one of its arguments; the only module of the model part that needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ratemlx.errors import PluginError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ratemlx.ir.bound import BoundTransferFunction


def plot_transfer(bound: BoundTransferFunction, arguments: Mapping[str, ArrayLike]) -> Figure:
    """A figure with one panel for each output."""
    from matplotlib.figure import Figure

    along = [name for name, value in arguments.items() if np.ndim(value) == 1]
    if len(along) != 1 or any(np.ndim(value) > 1 for value in arguments.values()):
        message = f"'{bound.name}' is plotted along exactly one argument"
        raise PluginError(message, "give one argument as a list of values, the others as numbers")
    values = bound.evaluate(**arguments)
    units = {item.name: item.unit for item in bound.function.arguments}
    figure = Figure(figsize=(6.0, 2.2 * len(values)), layout="constrained")
    panels = figure.subplots(len(values), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (output, unit) in zip(panels, bound.function.outputs, strict=True):
        panel.plot(np.asarray(arguments[along[0]]), values[output])
        panel.set_ylabel(_label(output, unit))
    panels[0].set_title(bound.name)
    panels[-1].set_xlabel(_label(along[0], units[along[0]]))
    return figure


def _label(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit not in ("", "1") else name
