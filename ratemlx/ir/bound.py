"""A transfer function as a model uses it: coefficients have the model's values, only the arguments are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ratemlx.errors import PluginError
from ratemlx.transfer.evaluate import evaluate
from ratemlx.transfer.numeric import Array, compute

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ratemlx.ir.model import Model, TransferUse
    from ratemlx.transfer.base import TransferFunction


@dataclass(frozen=True)
class BoundTransferFunction:
    """A transfer function with values of its coefficients."""

    name: str
    function: TransferFunction
    coefficients: Mapping[str, float] = field(repr=False)

    def evaluate(self, **arguments: ArrayLike) -> dict[str, Array]:
        """Every output by name, as float64 arrays; all arguments are needed. Raises PluginError if one is missing."""
        values = {**self.coefficients, **self._checked(arguments)}
        outputs = [name for name, _ in self.function.outputs]
        found = evaluate(self.function, values, [(name, ()) for name in outputs])
        return {name: found[name, ()] for name in outputs}

    def derivative(self, *by: str, **arguments: ArrayLike) -> Array:
        """The exact partial derivative of the first output by one or two arguments, as a float64 array."""
        names = [item.name for item in self.function.arguments]
        if not 1 <= len(by) <= 2 or not set(by) <= set(names):
            raise PluginError(f"'{self.name}' is differentiated by one or two of {', '.join(names)}")
        request = (self.function.outputs[0][0], by)
        return evaluate(self.function, {**self.coefficients, **self._checked(arguments)}, [request])[request]

    def plot(self, **arguments: ArrayLike) -> Figure:
        """A figure of all outputs along the one argument that is given as an array of values."""
        from ratemlx.ir.plot_transfer import plot_transfer

        return plot_transfer(self, arguments)

    def _checked(self, arguments: Mapping[str, ArrayLike]) -> Mapping[str, ArrayLike]:
        names = [item.name for item in self.function.arguments]
        for name in arguments:
            if name not in names:
                raise PluginError(f"'{self.name}' has no argument '{name}'", f"its arguments are {', '.join(names)}")
        return arguments


def bind_transfer_functions(model: Model) -> dict[str, BoundTransferFunction]:
    """The transfer functions of a model by their names in it, with the defaults of the model's parameters."""
    values = _defaults(model)
    return {use.name: _bind(use, values) for use in model.transfer_uses}


def _bind(use: TransferUse, values: Mapping[str, Array]) -> BoundTransferFunction:
    coefficients = {name: float(compute(expression, values)) for name, expression in use.coefficients}
    return BoundTransferFunction(use.name, use.function, coefficients)


def _defaults(model: Model) -> dict[str, Array]:
    """Values of all that is fixed during a run. The step of time and the number of regions are not known here."""
    values = {item.name: np.asarray(item.default) for item in model.parameters}
    values |= {item.name: np.asarray(item.value) for item in model.constants}
    values |= {"dt": np.asarray(np.nan), "n_node": np.asarray(np.nan)}
    for statement in model.derived_parameters:
        with np.errstate(all="ignore"):
            values[statement.name] = compute(statement.expression, values)
    return values
