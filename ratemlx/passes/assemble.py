"""Lay a model's expressions out as segments: where in the kernel each of them is computed.

Derived parameters go to `prepare`, derived variables and time derivatives to `derivatives`, and each coupling term is
split into what a source region publishes, what an edge adds, and what the sum becomes.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from ratemlx.ir.model import TOTAL, Coupling, Model, Noise
from ratemlx.passes.program import Line, Program, Segment, drop_unused, free_names, symbol


def assemble(model: Model) -> Program:
    """The program of a model; transfer results are still symbols of their own."""
    prepare = Segment(
        tuple(Line(item.name, item.expression, item.origin or item.name) for item in model.derived_parameters), ()
    )
    return Program(
        model=model,
        constants=tuple((item.name, item.value) for item in model.constants),
        folded=(),
        prepare=prepare,
        derivatives=_derivatives(model),
        channels=_channels(model),
        edges=_edges(model),
        couple=_couple(model),
        noise=_noise(model.noises),
        observe=Segment((), tuple((item.name, item.expression) for item in model.exposures)),
    )


def _derivatives(model: Model) -> Segment:
    silent = {symbol(item.name): sp.Integer(0) for item in model.couplings if item.pre == 0}
    lines = tuple(
        Line(item.name, item.expression.xreplace(silent), item.origin or item.name) for item in model.derived_variables
    )
    results = tuple((name, expression.xreplace(silent)) for name, expression in model.time_derivatives)
    return Segment(lines, results)


def active_couplings(model: Model) -> tuple[Coupling, ...]:
    """Coupling terms that are not zero by definition."""
    return tuple(item for item in model.couplings if item.pre != 0)


def looks_at_target(model: Model, coupling: Coupling) -> bool:
    """Whether `pre` needs more than the source's own delayed values, as the sine of a phase difference does."""
    states = {item.name for item in model.state_variables}
    return not states.isdisjoint(names_read(model, coupling))


def names_read(model: Model, coupling: Coupling) -> set[str]:
    """Names that `pre` uses, itself or in the arguments of its transfer functions."""
    names = free_names([coupling.pre])
    for use in reversed(model.uses_of(coupling)):
        if not use.results.isdisjoint(names):
            names |= free_names(value for _, value in use.arguments)
    return names


def source_lines(model: Model, coupling: Coupling, where: Mapping[str, str]) -> tuple[Line, ...]:
    """The sources as statements, which the transfer functions of `pre` read; none where it asks for no such function.

    `where` maps sources to the names that hold them.
    """
    names = free_names([coupling.pre])
    if all(use.results.isdisjoint(names) for use in model.uses_of(coupling)):
        return ()
    return tuple(Line(local, symbol(where[local])) for local, _ in coupling.sources)


def _channels(model: Model) -> Segment:
    """A source publishes `pre` itself where that is its own affair, else the states that `pre` reads."""
    lines: dict[str, Line] = {}
    results: dict[str, sp.Expr] = {}
    for coupling in active_couplings(model):
        if looks_at_target(model, coupling):
            results |= {channel_name(coupling, local): symbol(state) for local, state in coupling.sources}
        else:
            own = {symbol(local): symbol(state) for local, state in coupling.sources}
            results[channel_name(coupling)] = coupling.pre.xreplace(own)
            lines |= {line.name: line for line in source_lines(model, coupling, dict(coupling.sources))}
    return Segment(tuple(lines.values()), tuple(results.items()))


def channel_name(coupling: Coupling, local: str = "pre") -> str:
    """Name of the quantity that one coupling term reads from the history."""
    return f"{coupling.name}.{local}"


def _edges(model: Model) -> Segment | None:
    couplings = active_couplings(model)
    if not any(looks_at_target(model, item) for item in couplings):
        return None
    lines: dict[str, Line] = {}
    results = []
    for item in couplings:
        if looks_at_target(model, item):
            read = {local: channel_name(item, local) for local, _ in item.sources}
            replaced = {symbol(local): symbol(name) for local, name in read.items()}
            results.append((item.name, item.pre.xreplace(replaced)))
            lines |= {line.name: line for line in source_lines(model, item, read)}
        else:
            results.append((item.name, symbol(channel_name(item))))
    return Segment(tuple(lines.values()), tuple(results))


def sum_name(coupling: Coupling) -> str:
    """Name of a coupling term's weighted sum over its edges."""
    return f"{coupling.name}.{TOTAL}"


def _couple(model: Model) -> Segment:
    results = []
    for item in active_couplings(model):
        total = symbol(sum_name(item))
        if symbol(TOTAL) in item.post.free_symbols:
            value = item.post.xreplace({symbol(TOTAL): total})
        else:
            value = item.post * total
        results.append((item.name, item.factor * value))
    return Segment((), tuple(results))


def noise_coefficient(noise: Noise, name: str) -> str:
    """Name of one coefficient of a noise's update, as in `ou.decay`."""
    return f"{noise.variable}.{name}"


def _noise(noises: tuple[Noise, ...]) -> Segment:
    """Additive: x + scale N. Ornstein-Uhlenbeck, exact: mu + decay (x - mu) + scale N."""
    dt = symbol("dt")
    results = []
    for item in noises:
        if item.kind == "additive":
            results.append((noise_coefficient(item, "scale"), item.sigma * sp.sqrt(dt)))
            continue
        decay = sp.exp(-dt / item.tau)
        spread = item.sigma * sp.sqrt(item.tau * (1 - decay**2) / 2)
        results += [
            (noise_coefficient(item, "decay"), decay),
            (noise_coefficient(item, "scale"), spread),
            (noise_coefficient(item, "mu"), sp.sympify(item.mu if item.mu is not None else 0)),
        ]
    return Segment((), tuple(results))


def prune(program: Program) -> Program:
    """The program without statements that nothing needs (`prepare` is left alone: its users are elsewhere)."""
    segments = program.segments()
    return program.with_segments({name: drop_unused(item) for name, item in segments.items() if name != "prepare"})
