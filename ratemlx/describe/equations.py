"""The equations of a model in LaTeX, one string for each: dynamics, coupling, noise, transfer functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from ratemlx.describe.latex import latex, name_latex, upright
from ratemlx.ir.model import TOTAL, Coupling, Model, Noise, Statement, TransferUse
from ratemlx.transfer.base import TransferFunction


def state_equations(model: Model) -> Iterator[str]:
    """The differential equations in the order of the state variables, with their noise."""
    derivatives = dict(model.time_derivatives)
    noises = {noise.variable: noise for noise in model.noises}
    for state in model.state_variables:
        noise = noises.get(state.name)
        if state.name in derivatives:
            right = latex(derivatives[state.name])
            yield f"{_rate(state.name)} = {right}{_additive(noise) if noise else ''}"
        elif noise is not None:
            yield _ornstein_uhlenbeck(noise)


def statements(items: tuple[Statement, ...]) -> Iterator[str]:
    """Derived parameters or variables."""
    return (f"{name_latex(item.name)} = {latex(item.expression)}" for item in items)


def couplings(model: Model) -> Iterator[str]:
    """The coupling terms as a region i gets them from regions j."""
    return (_coupling(item, model.delays) for item in model.couplings)


def transfer_calls(model: Model) -> Iterator[str]:
    """The uses of transfer functions; those of a coupling with the delayed states of region j."""
    delayed = {
        name: {local: _delayed(source, model.delays) for local, source in item.sources}
        for item in model.couplings
        for name in item.transfer_functions
    }
    return (transfer_call(use, delayed.get(use.name)) for use in model.transfer_uses)


def transfer_call(use: TransferUse, special: Mapping[str, str] | None = None) -> str:
    """A use of a transfer function: its name in the model, its arguments, and coefficients of another name."""
    arguments = r",\; ".join(f"{name_latex(name)} = {latex(value, special)}" for name, value in use.arguments)
    coefficients = "".join(rf";\; {name_latex(name)} = {value}" for name, value in _bound(use))
    return rf"{name_latex(use.name)} = {upright(use.function.name)}\left({arguments}{coefficients}\right)"


def _bound(use: TransferUse) -> Iterator[tuple[str, str]]:
    """Coefficients and what they are in the model, without those of the same name; a vector counts once."""
    for name, value in use.coefficients:
        vector, _, index = name.partition("[")
        if index in ("", "0]"):
            shown = sp.Symbol(str(value).partition("[")[0], real=True) if index else value
            if shown != sp.Symbol(vector, real=True):
                yield vector, latex(shown)


def transfer_statements(function: TransferFunction) -> Iterator[str]:
    """The statements of a transfer function, in its own names."""
    return (f"{name_latex(name)} = {latex(expression)}" for name, expression in function.statements)


def _rate(name: str) -> str:
    return rf"\frac{{\mathrm{{d}} {name_latex(name)}}}{{\mathrm{{d}} t}}"


def _additive(noise: Noise) -> str:
    return rf" + {_factor(noise.sigma)} \, \xi_{{{name_latex(noise.variable)}}}(t)"


def _ornstein_uhlenbeck(noise: Noise) -> str:
    name = name_latex(noise.variable)
    mean = latex(noise.mu) if noise.mu is not None else "0"
    distance = f"-{name}" if mean == "0" else f"{mean} - {name}"
    tau = latex(noise.tau) if noise.tau is not None else "1"
    return rf"{_rate(noise.variable)} = \frac{{{distance}}}{{{tau}}} + {_factor(noise.sigma)} \, \xi_{{{name}}}(t)"


def _coupling(coupling: Coupling, delays: bool) -> str:
    delayed = {name: _delayed(source, delays) for name, source in coupling.sources}
    total = rf"\sum_{{j}} w_{{ij}} \, {_factor(coupling.pre, delayed)}"
    if coupling.post.has(sp.Symbol(TOTAL, real=True)):
        value = latex(coupling.post, {TOTAL: rf"\left({total}\right)"})
    else:
        value = total if coupling.post == 1 else rf"{_factor(coupling.post)} \, {total}"
    factor = "" if coupling.factor == 1 else rf"{_factor(coupling.factor)} \, "
    return f"{name_latex(coupling.name)} = {factor}{value}"


def _delayed(state: str, delays: bool) -> str:
    """A state variable of region j, one delay ago."""
    name = name_latex(state)
    indexed = name[:-1] + ",j}" if name.endswith("}") and "_{" in name else f"{name}_{{j}}"
    return indexed + (r"(t - \delta_{ij})" if delays else "(t)")


def _factor(expression: sp.Expr, special: Mapping[str, str] | None = None) -> str:
    """An expression as a factor of a product."""
    text = latex(expression, special)
    return rf"\left({text}\right)" if expression.is_Add or expression.could_extract_minus_sign() else text
