"""A checked model as the printed pieces that the template of a TVB module puts in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from ratemlx.errors import RatemlxError
from ratemlx.ir.model import TIME_STEP, Model, Noise
from ratemlx.passes.assemble import active_couplings
from ratemlx.passes.hoist import evaluate_numbers
from ratemlx.passes.pipeline import lower_adjustable
from ratemlx.passes.program import Program, free_names, symbol
from ratemlx.targets.python_printer import NumpyPrinter, PythonPrinter
from ratemlx.targets.python_text import assignment, number
from ratemlx.targets.tvb_attributes import Attribute, attributes_of, over_attributes, stimuli_of
from ratemlx.targets.tvb_coupling import N_NODE, CouplingText, coupling_text, coupling_variables
from ratemlx.targets.tvb_docs import coupling_paragraphs, model_paragraphs, module_paragraphs, noise_paragraphs
from ratemlx.targets.tvb_names import class_name, local_names


@dataclass(frozen=True)
class StateText:
    """A state variable: where it starts, and its bounds if it has any, as literals."""

    name: str
    start: tuple[str, str]
    bounds: tuple[str, str] | None


@dataclass(frozen=True)
class FunctionText:
    """The compiled function: functions of `math` that it needs, its inputs, statements and results."""

    functions: tuple[str, ...]
    inputs: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class NoiseText:
    """Values of `nsig`, by state variable; whether they need the time step."""

    lines: tuple[str, ...]
    needs_dt: bool


@dataclass(frozen=True)
class ModuleText:
    """Everything that the template shows."""

    class_name: str
    module_doc: tuple[str, ...]
    model_doc: tuple[str, ...]
    coupling_doc: tuple[str, ...]
    noise_doc: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    scalars: tuple[str, ...]
    vectors: tuple[str, ...]
    needs_n_node: bool
    states: tuple[StateText, ...]
    choices: tuple[str, ...]
    watched: tuple[str, ...]
    cvar: tuple[int, ...]
    n_terms: int
    stimuli: tuple[Attribute, ...]
    conduction_speed: str
    function: FunctionText
    coupling: CouplingText
    noise: NoiseText

    @property
    def bounded(self) -> tuple[StateText, ...]:
        """State variables with a bound."""
        return tuple(state for state in self.states if state.bounds)

    @property
    def has_domains(self) -> bool:
        """Whether any attribute has a range."""
        return any(item.domain for item in (*self.attributes, *self.coupling.attributes))


def module_text(model: Model) -> ModuleText:
    """Print a model.

    Raises RatemlxError if its dynamics need the time step, which TVB does not tell a model.
    """
    name = class_name(model.name)
    model = with_drift(model)
    program = lower_adjustable(model)
    states = [item.name for item in model.state_variables]
    used = _names_of_dynamics(program)
    inputs = [item for item in attributes_of(model) if item.matches(used)]
    coupling = coupling_text(model)
    choices, watched = _variables_of_interest(model)
    return ModuleText(
        class_name=name,
        module_doc=module_paragraphs(model, name),
        model_doc=model_paragraphs(model, name),
        coupling_doc=coupling_paragraphs(model),
        noise_doc=noise_paragraphs(model),
        attributes=_model_attributes(model, used, coupling),
        scalars=tuple(item.name for item in inputs if not item.size),
        vectors=tuple(item.name for item in inputs if item.size),
        needs_n_node=N_NODE in used,
        states=tuple(_states(model)),
        choices=choices,
        watched=watched,
        cvar=tuple(states.index(name) for name in coupling_variables(model)),
        n_terms=len(active_couplings(model)),
        stimuli=stimuli_of(model),
        conduction_speed=_conduction_speed(model),
        function=_function(program, inputs, used),
        coupling=coupling,
        noise=_noise(model),
    )


def with_drift(model: Model) -> Model:
    """The model with the drift of Ornstein-Uhlenbeck processes among its equations; their noise is TVB's to add."""
    drifts = [
        (item.variable, -(symbol(item.variable) - (item.mu if item.mu is not None else 0)) / item.tau)
        for item in model.noises
        if item.tau is not None
    ]
    return replace(model, time_derivatives=(*model.time_derivatives, *drifts))


def _names_of_dynamics(program: Program) -> set[str]:
    """All names that the time derivatives depend on, through derived parameters too."""
    used = free_names(program.derivatives.expressions())
    for line in reversed(program.prepare.lines):
        if line.name in used:
            used |= free_names([line.expression])
    if TIME_STEP in used:
        raise RatemlxError(
            f"the time derivatives of {program.model.name} depend on dt, which TVB does not tell a model",
            "use a Constant for it, or choose another target",
        )
    return used


def _model_attributes(model: Model, used: set[str], coupling: CouplingText) -> tuple[Attribute, ...]:
    """All parameters and constants, without those that matter to the coupling alone."""
    used = used | free_names(_sigmas(model).values())
    elsewhere = {item.name for item in coupling.attributes}
    return tuple(item for item in attributes_of(model) if item.matches(used) or item.name not in elsewhere)


def _states(model: Model) -> Iterable[StateText]:
    for item in model.state_variables:
        low, high = item.bounds
        bounds = (number(float("-inf") if low is None else low), number(float("inf") if high is None else high))
        bounded = low is not None or high is not None
        yield StateText(item.name, (number(item.initial[0]), number(item.initial[1])), bounds if bounded else None)


def _variables_of_interest(model: Model) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What monitors can watch, and what they watch unless told otherwise: exposures that are plain states."""
    states = {item.name: item.name for item in model.state_variables}
    choices = list(states)
    printer = NumpyPrinter(states)
    for item in model.exposures:
        if item.expression.free_symbols and free_names([item.expression]) <= states.keys():
            text = printer.print(evaluate_numbers(item.expression)).replace("np.", "numpy.")
            if "erf" not in text and text not in choices:
                choices.append(text)
    exposed = {str(item.expression) for item in model.exposures}
    return tuple(choices), tuple(name for name in states if name in exposed) or tuple(states)


def _conduction_speed(model: Model) -> str:
    speed = next((item.default for item in model.parameters if item.is_conduction_speed), model.fixed_speed)
    return number(float("inf") if speed is None or not model.delays else speed)


def _function(program: Program, inputs: Sequence[Attribute], used: set[str]) -> FunctionText:
    model = program.model
    derivatives = program.derivatives
    prepare = [line for line in program.prepare.lines if line.name in used]
    columns = [name for item in inputs for name in item.elements if not item.size]
    columns += [N_NODE] if N_NODE in used else []
    columns += [name for item in inputs for name in item.elements if item.size]
    terms = [item.name for item in active_couplings(model)]
    states = [item.name for item in model.state_variables]
    lines = [*prepare, *derivatives.lines]
    names = local_names([*states, *terms, *columns, *(line.name for line in lines)])
    printer = _Recorder(names)
    body = []
    for line in lines:
        body.append(assignment(names[line.name], printer.print(line.expression), 1))
    given = dict(derivatives.results)
    for place, name in enumerate(states):
        body.append(assignment(f"derivative[{place}]", printer.print(given.get(name, sp.Integer(0))), 1))
    return FunctionText(
        functions=tuple(sorted(printer.called - {"abs", "max", "min"})),
        inputs=tuple(
            f"{names[name]} = {array}[{place}]"
            for array, items in (("state", states), ("coupling", terms), ("parameters", columns))
            for place, name in enumerate(items)
            if name in used
        )
        + tuple(
            f"{names[item.name]} += coupling[{len(coupling_variables(model)) + place}]"
            for place, item in enumerate(model.inputs)
            if item.name in used
        ),
        lines=tuple(body),
    )


class _Recorder(PythonPrinter):
    """Notes which functions were called."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__(names)
        self.called: set[str] = set()

    def call(self, name: str, *arguments: str) -> str:
        self.called.add(name)
        return super().call(name, *arguments)

    def literal(self, value: float) -> str:
        text = super().literal(value)
        self.called |= {text} & {"inf"}
        return text


def _sigmas(model: Model) -> dict[Noise, sp.Expr]:
    return {item: over_attributes(model, item.sigma) for item in model.noises}


def _noise(model: Model) -> NoiseText:
    """TVB adds sqrt(2 nsig dt) N where the language has sigma sqrt(dt) N."""
    states = [item.name for item in model.state_variables]
    names = {TIME_STEP: "dt"}
    for attribute in attributes_of(model):
        names |= attribute.texts("model")
    printer = NumpyPrinter(names)
    sigmas = _sigmas(model)
    if N_NODE in free_names(sigmas.values()):
        raise RatemlxError(f"the noise of {model.name} depends on n_node", "use a Constant, or choose another target")
    lines = [
        assignment(f"amplitudes[{states.index(item.variable)}]", printer.print(sigma**2 / 2), 1)
        for item, sigma in sigmas.items()
    ]
    return NoiseText(tuple(lines), TIME_STEP in free_names(sigmas.values()))
