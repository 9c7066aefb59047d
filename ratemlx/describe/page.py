"""The page itself: sections in order, each left out where the model has nothing for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ratemlx.describe import equations, tables
from ratemlx.describe.figures import draw_phase_plane, draw_traces
from ratemlx.describe.phase_plane import phase_plane, planar_variables
from ratemlx.ir.model import Model
from ratemlx.simulate import simulate
from ratemlx.transfer.base import TransferFunction

CONNECTOME = "tvb:68"
DURATION = 1000.0
SHOWN_EXPOSURES = 4
SWEPT = (
    "A sweep may vary these, evenly over the range or, where it says so, on a log scale; each but the "
    "conduction speed may differ between regions."
)


@dataclass(frozen=True)
class Page:
    """A page in Markdown, with formulas in LaTeX between dollar signs, and its figures (PNG) by file name."""

    name: str
    markdown: str
    figures: Mapping[str, bytes] = field(repr=False)


def describe(model: Model, figures: bool = True) -> Page:
    """The page about a model; with figures it is run for a moment. Raises RatemlxError where it cannot be run."""
    drawn = _figures(model) if figures else {}
    lines = [f"# {model.name}", "", model.description, ""]
    if model.reference:
        lines += [f"*{model.reference}*", ""]
    for title, section in _sections(model, drawn):
        if section:
            lines += [f"## {title}", "", *section]
    return Page(model.name, "\n".join(lines).rstrip("\n") + "\n", drawn)


def _figures(model: Model) -> dict[str, bytes]:
    names = [item.name for item in model.exposures[:SHOWN_EXPOSURES]]
    series = simulate(model, connectome=CONNECTOME, duration=DURATION, observe=names).time_series
    drawn = {f"{model.name}-traces.png": draw_traces(series[0])}
    if planar_variables(model):
        drawn[f"{model.name}-phase-plane.png"] = draw_phase_plane(phase_plane(model))
    return drawn


def _sections(model: Model, drawn: Mapping[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    yield "A first look", _look(model, drawn)
    yield "Equations", _equations(model)
    yield "Coupling", _coupling(model)
    yield "Transfer functions", _transfer_functions(model)
    yield "Parameters", _table(tables.parameters(model), SWEPT)
    yield "Inputs", _table(tables.inputs(model), "Zero until a stimulus drives them.")
    yield "Constants", _table(tables.constants(model))
    yield "State variables", _table(tables.state_variables(model))
    yield "Exposures", _table(tables.exposures(model), "What a run stores, as averages over `--period`.")


def _look(model: Model, drawn: Mapping[str, bytes]) -> list[str]:
    lines = ["```text", f"ratemlx run {model.name} --duration {DURATION:g} -o {model.name}_run", "```", ""]
    for name in drawn:
        lines += [f"![{_caption(model, name)}]({name})", "", f"*{_caption(model, name)}*", ""]
    return lines


def _caption(model: Model, name: str) -> str:
    if name.endswith("-traces.png"):
        noise = ", with noise" if model.noises else ""
        return (
            f"A run of {DURATION:g} ms on {CONNECTOME} at the default parameters{noise}: one region, five others faint."
        )
    return (
        "The phase plane of a region by itself, without noise: flow, nullclines, a trajectory from the model's start "
        "and some from elsewhere."
    )


def _equations(model: Model) -> list[str]:
    lines = _formulas(equations.state_equations(model))
    if model.noises:
        lines += ["Here ξ is white noise of unit strength. Time is in ms.", ""]
    if model.derived_variables:
        lines += ["with", "", *_formulas(equations.statements(model.derived_variables))]
    if model.derived_parameters:
        lines += ["and, once for each run,", "", *_formulas(equations.statements(model.derived_parameters))]
    return lines


def _coupling(model: Model) -> list[str]:
    if not model.couplings:
        return []
    meaning = "$w_{ij}$ is the weight of the tract from region j to region i"
    if model.delays:
        meaning += r", $\delta_{ij}$ its delay: its length over the conduction speed"
    return [*_formulas(equations.couplings(model)), f"{meaning}. What has no index j is that of region i.", ""]


def _transfer_functions(model: Model) -> list[str]:
    functions: dict[str, TransferFunction] = {use.function.name: use.function for use in model.transfer_uses}
    lines = _formulas(equations.transfer_calls(model))
    for function in functions.values():
        lines += [f"### {function.name}", "", function.description, ""]
        if function.reference:
            lines += [f"*{function.reference}*", ""]
        lines += _formulas(equations.transfer_statements(function))
        lines += [f"Its value is the statement `{function.outputs[0][0]}`.", ""]
    return lines


def _formulas(formulas: Iterable[str]) -> list[str]:
    return [line for formula in formulas for line in (f"$${formula}$$", "")]


def _table(lines: list[str], text: str = "") -> list[str]:
    if not lines:
        return []
    return [*([text, ""] if text else []), *lines, ""]
