"""Values and exact derivatives of a transfer function in NumPy, without any model or simulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ratemlx.errors import PluginError
from ratemlx.transfer.base import TransferFunction
from ratemlx.transfer.check import coefficient_names
from ratemlx.transfer.forward import Request, expand
from ratemlx.transfer.numeric import Array, compute


def evaluate(
    function: TransferFunction,
    values: Mapping[str, ArrayLike],
    requests: Iterable[Request],
    dtype: type[np.floating[Any]] = np.float64,
) -> dict[Request, Array]:
    """Outputs and derivatives as arrays of one precision, from values of the arguments and coefficients.

    A request is the name of an output and a tuple of up to two arguments to differentiate by. Arrays broadcast; a
    vector coefficient is given under its own name or as `P[0]`, `P[1]`, ...; coefficients that have a default may be
    left out. Raises PluginError for what is missing or unknown.
    """
    wanted = list(requests)
    known = _inputs(function, values, dtype)
    expansion = expand(function, wanted)
    shape = np.broadcast_shapes(*(known[item.name].shape for item in function.arguments))
    with np.errstate(all="ignore"):
        for name, expression in expansion.statements:
            known[name] = compute(expression, known, dtype)
        results = {request: expansion.results[request[0], tuple(sorted(request[1]))] for request in wanted}
        return {request: np.broadcast_to(compute(item, known, dtype), shape) for request, item in results.items()}


def _inputs(
    function: TransferFunction, values: Mapping[str, ArrayLike], dtype: type[np.floating[Any]]
) -> dict[str, Array]:
    known: dict[str, Array] = {}
    for argument in function.arguments:
        if argument.name not in values:
            raise PluginError(f"transfer function '{function.name}' needs a value of '{argument.name}'")
        known[argument.name] = np.asarray(values[argument.name], dtype=dtype)
    for coefficient in function.coefficients:
        names = coefficient_names(coefficient)
        vector = values.get(coefficient.name, coefficient.default)
        given = [values.get(name) for name in names] if vector is None else list(np.atleast_1d(np.asarray(vector)))
        if len(given) != len(names) or any(value is None for value in given):
            raise PluginError(
                f"transfer function '{function.name}' needs {len(names)} value(s) of '{coefficient.name}'"
            )
        known |= {name: np.asarray(value, dtype=dtype) for name, value in zip(names, given, strict=True)}
    vectors = {item.name for item in function.coefficients}
    for name in values:
        if name not in known and name not in vectors:
            raise PluginError(f"transfer function '{function.name}' has no argument or coefficient '{name}'")
    return known
