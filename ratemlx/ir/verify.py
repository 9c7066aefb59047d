"""Check that a model keeps the promises of `ratemlx.ir.model`: a fault here is a bug of ours, not of a user.

Tests run it between passes; it costs too much for every load.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.ir.model import CONDUCTION_SPEED, TIME_STEP, TOTAL, Coupling, Model, TransferUse
from ratemlx.transfer.check import coefficient_names

ALWAYS = frozenset({TIME_STEP, "n_node"})


def verify(model: Model) -> None:
    """Raise InternalError at the first promise that the model breaks."""
    _verify_names(model)
    _verify_numbers(model)
    fixed = {item.name for item in model.parameters} | {item.name for item in model.constants} | ALWAYS
    fixed -= {*CONDUCTION_SPEED}
    for statement in model.derived_parameters:
        _verify_symbols(statement.name, statement.expression, fixed)
        fixed.add(statement.name)
    now = fixed | {item.name for item in model.state_variables}
    for coupling in model.couplings:
        _verify_coupling(model, coupling, now, fixed)
    _verify_step(model, now | {item.name for item in model.couplings} | {item.name for item in model.inputs}, fixed)
    for noise in model.noises:
        _require(noise.variable in now - fixed, f"noise on '{noise.variable}'")
        for part in (noise.sigma, noise.tau, noise.mu):
            _verify_symbols(f"noise on {noise.variable}", part if part is not None else sp.Integer(0), fixed)
    for exposure in model.exposures:
        _verify_symbols(f"exposure {exposure.name}", exposure.expression, now)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise InternalError(f"the model is broken: {what}")


def _names(model: Model) -> Iterator[str]:
    for parameter in model.parameters:
        yield parameter.name
    for constant in model.constants:
        yield constant.name
    for statement in (*model.derived_parameters, *model.derived_variables):
        yield statement.name
    for state in model.state_variables:
        yield state.name
    for coupling in model.couplings:
        yield coupling.name
    for use in model.transfer_uses:
        yield use.name


def _verify_names(model: Model) -> None:
    seen: set[str] = set()
    for name in _names(model):
        _require(name not in seen, f"the name '{name}' occurs twice")
        seen.add(name)
    exposures = [item.name for item in model.exposures]
    _require(len(set(exposures)) == len(exposures), "an exposure occurs twice")


def _verify_numbers(model: Model) -> None:
    for parameter in model.parameters:
        _require(math.isfinite(parameter.default), f"the default of '{parameter.name}'")
        if parameter.range:
            low, high = parameter.range
            _require(-math.inf < low < high < math.inf, f"the range of '{parameter.name}'")
            _require(parameter.scale == "linear" or low > 0, f"the log range of '{parameter.name}'")
    for constant in model.constants:
        _require(math.isfinite(constant.value), f"the value of '{constant.name}'")
    for state in model.state_variables:
        least, most = state.bounds
        start, end = state.initial
        _require((least is None or least <= start) and start <= end, f"the start of '{state.name}'")
        _require(most is None or end <= most, f"the start of '{state.name}'")


def _verify_symbols(where: str, expression: sp.Expr, known: Iterable[str]) -> None:
    known = set(known)
    _require(isinstance(expression, sp.Expr), f"{where} is no expression")
    _require(not expression.has(sp.nan, sp.zoo, sp.I), f"{where} has no real value")
    for item in sorted(expression.free_symbols, key=str):
        _require(item.name in known, f"{where} uses '{item.name}'")
        _require(bool(item.is_real), f"'{item.name}' in {where} is not real")


def _verify_coupling(model: Model, coupling: Coupling, now: set[str], fixed: set[str]) -> None:
    states = {item.name for item in model.state_variables}
    _require({state for _, state in coupling.sources} <= states, f"the sources of '{coupling.name}'")
    waiting = {use.name: use for use in model.uses_of(coupling)}
    _require(waiting.keys() == set(coupling.transfer_functions), f"the transfer functions of '{coupling.name}'")
    at_edge = now | {name for name, _ in coupling.sources}
    _admit(waiting, at_edge, fixed)
    _require(not waiting, f"transfer functions {', '.join(waiting)} use what is not there")
    _verify_symbols(f"pre of {coupling.name}", coupling.pre, at_edge)
    _verify_symbols(f"post of {coupling.name}", coupling.post, now | {TOTAL})
    _verify_symbols(f"factor of {coupling.name}", coupling.factor, now)


def _verify_step(model: Model, known: set[str], fixed: set[str]) -> None:
    """Derived variables in order, each after the transfer functions that it uses and those after their arguments."""
    known = set(known)
    elsewhere = {name for coupling in model.couplings for name in coupling.transfer_functions}
    waiting = {use.name: use for use in model.transfer_uses if use.name not in elsewhere}
    for statement in model.derived_variables:
        _admit(waiting, known, fixed)
        _verify_symbols(statement.name, statement.expression, known)
        known.add(statement.name)
    _admit(waiting, known, fixed)
    _require(not waiting, f"transfer functions {', '.join(waiting)} use what is not there")
    changed = [name for name, _ in model.time_derivatives]
    processes = {noise.variable for noise in model.noises if noise.kind == "ornstein_uhlenbeck"}
    states = [item.name for item in model.state_variables if item.name not in processes]
    _require(changed == states, "time derivatives are not those of the state variables in their order")
    for name, expression in model.time_derivatives:
        _verify_symbols(f"time derivative of {name}", expression, known)


def _admit(waiting: dict[str, TransferUse], known: set[str], fixed: set[str]) -> None:
    """Make the results of transfer functions known as soon as all that they use is known."""
    progress = True
    while progress:
        progress = False
        for name, use in list(waiting.items()):
            symbols = {item.name for _, expression in use.arguments for item in expression.free_symbols}
            if symbols <= known:
                _verify_use(use, known, fixed)
                known.update(use.results)
                del waiting[name]
                progress = True


def _verify_use(use: TransferUse, known: set[str], fixed: set[str]) -> None:
    function = use.function
    _require([name for name, _ in use.arguments] == [item.name for item in function.arguments], f"'{use.name}'")
    expected = [name for item in function.coefficients for name in coefficient_names(item)]
    _require([name for name, _ in use.coefficients] == expected, f"coefficients of '{use.name}'")
    for name, expression in use.arguments:
        _verify_symbols(f"argument {name} of {use.name}", expression, known)
    for name, expression in use.coefficients:
        _verify_symbols(f"coefficient {name} of {use.name}", expression, fixed)
