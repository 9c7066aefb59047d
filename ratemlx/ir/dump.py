"""A model as text for people: what `ratemlx inspect --stage model` prints. The same model gives the same text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy as sp

from ratemlx.ir.model import Coupling, Model, Noise, Parameter, Statement, StateVariable, TransferUse
from ratemlx.ir.units import Unit


def dump(model: Model) -> str:
    """The whole model, one quantity a line, ending in a line end."""
    sections = (
        ("parameters", map(_parameter, model.parameters)),
        ("constants", (f"{item.name} = {_number(item.value)}{_unit(item.unit)}" for item in model.constants)),
        ("derived parameters", map(_statement, model.derived_parameters)),
        ("state variables", map(_state, model.state_variables)),
        ("inputs", (f"{item.name}{_unit(item.unit)}" for item in model.inputs)),
        ("couplings", _lines(map(_coupling, model.couplings))),
        ("transfer functions", _lines(map(_use, model.transfer_uses))),
        ("derived variables", map(_statement, model.derived_variables)),
        ("time derivatives", (f"d {name} / dt = {_show(value)}" for name, value in model.time_derivatives)),
        ("noise", map(_noise, model.noises)),
        ("exposures", (f"{item.name} = {_show(item.expression)}{_unit(item.unit)}" for item in model.exposures)),
        ("delays", [_delays(model)]),
    )
    lines = [f"model {model.name}"]
    for title, content in sections:
        shown = list(content)
        if shown:
            lines += ["", title, *(f"  {line}" for line in shown)]
    return "\n".join(lines) + "\n"


def _lines(blocks: Iterable[Iterable[str]]) -> Iterator[str]:
    for block in blocks:
        yield from block


def _show(expression: sp.Expr) -> str:
    return str(sp.sstr(expression, order="lex"))


def _number(value: float) -> str:
    """The shortest digits that read back as the same number."""
    return repr(value).removesuffix(".0")


def _unit(unit: Unit | None) -> str:
    return f"  [{unit}]" if unit else ""


def _parameter(item: Parameter) -> str:
    limits = f", {_number(item.range[0])} to {_number(item.range[1])} ({item.scale})" if item.range else ""
    return f"{item.name} = {_number(item.default)}{limits}{_unit(item.unit)}"


def _statement(item: Statement) -> str:
    return f"{item.name} = {_show(item.expression)}{_unit(item.unit)}"


def _state(item: StateVariable) -> str:
    low, high = item.initial
    start = f"starts at {_number(low)}" if low == high else f"starts between {_number(low)} and {_number(high)}"
    ends = ["-inf" if item.bounds[0] is None else f"{_number(item.bounds[0])}"]
    ends += ["inf" if item.bounds[1] is None else f"{_number(item.bounds[1])}"]
    bounds = f", kept within {ends[0]} and {ends[1]}" if item.bounds != (None, None) else ""
    return f"{item.name}: {start}{bounds}{_unit(item.unit)}"


def _coupling(item: Coupling) -> Iterator[str]:
    yield item.name
    yield from (f"  {name} is {state} of the other region, delayed" for name, state in item.sources)
    yield from (f"  {part} = {_show(getattr(item, part))}" for part in ("pre", "post", "factor"))


def _use(item: TransferUse) -> Iterator[str]:
    yield f"{item.name} is {item.function.name}"
    yield from (f"  {name} = {_show(value)}" for name, value in (*item.arguments, *item.coefficients))


def _noise(item: Noise) -> str:
    parts = [f"sigma = {_show(item.sigma)}"]
    parts += [f"tau = {_show(item.tau)}"] if item.tau is not None else []
    parts += [f"mu = {_show(item.mu)}"] if item.mu is not None else []
    return f"{item.variable}: {item.kind.replace('_', '-')}, {', '.join(parts)}"


def _delays(model: Model) -> str:
    if not model.delays:
        return "none"
    if model.fixed_speed is not None:
        return f"conduction speed {_number(model.fixed_speed)} mm/ms"
    names = [item.name for item in model.parameters if item.is_conduction_speed]
    return f"conduction speed {names[0]}" if names else "conduction speed given at run time"
