"""A lowered program as the printed pieces that the kernel templates put in their places."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from ratemlx.abi import CONSTANT_MACRO_PREFIX, constant_macro
from ratemlx.ir.model import Noise, StateVariable
from ratemlx.passes.assemble import active_couplings, noise_coefficient, sum_name
from ratemlx.passes.program import Line, Program, Segment, free_names
from ratemlx.targets.names import unique_names
from ratemlx.targets.printers import Printer

BUILT_IN = {"dt": "dt", "n_node": "n_node"}


@dataclass(frozen=True)
class Statement:
    """One declaration of generated code."""

    name: str
    text: str
    type: str = "real"
    heading: str = ""


@dataclass(frozen=True)
class Slot:
    """An element of an array: its place, its identifier or what is assigned to it, and a remark."""

    index: int
    name: str = ""
    text: str = ""
    comment: str = ""


@dataclass(frozen=True)
class ConstantText:
    """A constant that may be given another value at compile time."""

    name: str
    macro: str
    value: str
    comment: str


@dataclass(frozen=True)
class SegmentText:
    """A segment: what it reads from its one or two arrays, its statements, what it writes."""

    inputs: tuple[Slot, ...]
    more_inputs: tuple[Slot, ...]
    lines: tuple[Statement, ...]
    results: tuple[Slot, ...]


@dataclass(frozen=True)
class KernelText:
    """Everything that the templates of both kernels show."""

    title: str
    source: str
    description: str
    namespace: str
    macro_prefix: str
    n_states: int
    n_parameters: int
    n_terms: int
    n_channels: int
    n_exposures: int
    n_noises: int
    n_inputs: int
    observe_all: str
    constants: tuple[ConstantText, ...]
    folded: tuple[str, ...]
    constant_lines: tuple[Statement, ...]
    fields: tuple[str, ...]
    parameters: tuple[Slot, ...]
    prepare: tuple[Statement, ...]
    channels: SegmentText
    edges: SegmentText | None
    couple: SegmentText
    derivatives: SegmentText
    stimulated: tuple[Slot, ...]
    bounds: tuple[Slot, ...]
    noises: tuple[Slot, ...]
    processes: tuple[Slot, ...]
    observe: SegmentText


def kernel_text(program: Program) -> KernelText:
    """Print a lowered program."""
    return _Writer(program).text()


class _Writer:
    def __init__(self, program: Program) -> None:
        self.program = program
        model = program.model
        self.states = [item.name for item in model.state_variables]
        self.parameters = [item.name for item in model.parameters if not item.is_conduction_speed]
        self.terms = [item.name for item in active_couplings(model)]
        self.segments = {name: item for name, item in program.segments().items() if name != "prepare"}
        self.identifiers = unique_names(self._all_names())
        self.constant_lines, self.instance_lines = self._split_prepare()
        constants = {name for name, _ in program.constants} | {line.name for line in self.constant_lines}
        self.scalars = frozenset(constants | BUILT_IN.keys())
        self.fixed_names = self._fixed_names()

    def _all_names(self) -> Iterable[str]:
        model = self.program.model
        yield from self.states
        yield from self.parameters
        yield from (name for name, _ in self.program.constants)
        yield from (item.name for item in model.inputs)
        yield from (item.name for item in model.couplings)
        yield from (sum_name(item) for item in model.couplings)
        yield from (name for name, _ in self.program.channels.results)
        yield from (line.name for line in self.program.prepare.lines)
        for segment in self.segments.values():
            yield from (line.name for line in segment.lines)

    def _split_prepare(self) -> tuple[list[Line], list[Line]]:
        """Statements over constants alone, which a compiler evaluates, and those that an instance decides."""
        constant = {name for name, _ in self.program.constants}
        early, late = [], []
        for line in self.program.prepare.lines:
            plain = not line.expression.has(sp.Function, sp.Piecewise, sp.Max, sp.Min) and _integer_powers(line)
            if plain and free_names([line.expression]) <= constant:
                constant.add(line.name)
                early.append(line)
            else:
                late.append(line)
        return early, late

    def _fixed_names(self) -> list[str]:
        """What the segments need of an instance: parameters and statements of `prepare`."""
        used = free_names(expression for item in self.segments.values() for expression in item.expressions())
        candidates = [*self.parameters, *(line.name for line in self.instance_lines)]
        return [name for name in candidates if name in used]

    def text(self) -> KernelText:
        model, program = self.program.model, self.program
        states = dict(zip(self.states, range(len(self.states)), strict=True))
        totals = {sum_name(item): place for place, item in enumerate(active_couplings(model))}
        terms = {name: place for place, name in enumerate(self.terms)}
        channels = {name: place for place, (name, _) in enumerate(program.channels.results)}
        return KernelText(
            title=f"Model {model.name}",
            source=f"{model.name}.xml",
            description=_comment(f"{model.description} {model.reference}".strip()),
            namespace=f"model_{self.identifiers_of_model()}",
            macro_prefix=CONSTANT_MACRO_PREFIX,
            n_states=len(states),
            n_parameters=len(self.parameters),
            n_terms=len(terms),
            n_channels=len(channels),
            n_exposures=len(model.exposures),
            n_noises=len(model.noises),
            n_inputs=len(model.inputs),
            observe_all=f"{(1 << len(model.exposures)) - 1:#x}ull",
            constants=tuple(self._constants()),
            folded=tuple(f"{name} = {value!r}" for name, value in program.constants if name in program.folded),
            constant_lines=tuple(self._statements(self.constant_lines, "scalar", self._prepare_names())),
            fields=tuple(self.identifiers[name] for name in self.fixed_names) or ("unused",),
            parameters=tuple(self._parameters()),
            prepare=tuple(self._prepare()),
            channels=self._segment("channels", states, {}, channels),
            edges=self._segment("edges", states, channels, terms) if program.edges else None,
            couple=self._segment("couple", totals, states, terms),
            derivatives=self._segment("derivatives", states, terms, states),
            stimulated=tuple(self._stimulated()),
            bounds=tuple(_bounds(model.state_variables)),
            noises=tuple(self._noises(states)),
            processes=tuple(self._processes(states)),
            observe=self._segment("observe", states, {}, {item.name: i for i, item in enumerate(model.exposures)}),
        )

    def identifiers_of_model(self) -> str:
        """The model's name as an identifier."""
        return next(iter(unique_names([self.program.model.name]).values()))

    def _constants(self) -> Iterable[ConstantText]:
        used = free_names(expression for item in self.program.segments().values() for expression in item.expressions())
        for constant in self.program.model.constants:
            if constant.name in used:
                about = " ".join(part for part in (str(constant.unit or ""), constant.description) if part)
                yield ConstantText(
                    name=self.identifiers[constant.name],
                    macro=constant_macro(constant.name),
                    value=repr(constant.value),
                    comment=_remark(about),
                )

    def _parameters(self) -> Iterable[Slot]:
        prepared = free_names(line.expression for line in self.instance_lines) | set(self.fixed_names)
        described = {item.name: item for item in self.program.model.parameters}
        for place, name in enumerate(self.parameters):
            if name in prepared:
                item = described[name]
                about = " ".join(part for part in (str(item.unit or ""), item.description) if part)
                yield Slot(place, self.identifiers[name], comment=_remark(about))

    def _prepare_names(self) -> dict[str, str]:
        return {**self.identifiers, **BUILT_IN}

    def _prepare(self) -> Iterable[Statement]:
        yield from self._statements(self.instance_lines, "real", self._prepare_names())
        if not self.fixed_names:
            yield Statement("unused", "splat(R(0.0))")

    def _statements(self, lines: Sequence[Line], type_name: str, names: Mapping[str, str]) -> Iterable[Statement]:
        printer = Printer(names, self.scalars)
        origin = ""
        for line in lines:
            text = printer.real(line.expression) if type_name == "real" else printer.print(line.expression, 1)
            named = line.origin not in ("shared", "fixed", origin)
            heading = _one_line(line.origin) if named else ""
            origin = line.origin if named else origin
            yield Statement(self.identifiers[line.name], text, type_name, heading)

    def _segment(
        self, name: str, read: Mapping[str, int], also: Mapping[str, int], written: Mapping[str, int]
    ) -> SegmentText:
        segment = self.segments[name]
        names = self._segment_names()
        used = free_names(segment.expressions())
        printer = Printer(names, self.scalars)
        return SegmentText(
            inputs=tuple(Slot(place, self.identifiers[item]) for item, place in read.items() if item in used),
            more_inputs=tuple(Slot(place, self.identifiers[item]) for item, place in also.items() if item in used),
            lines=tuple(self._statements(segment.lines, "real", names)),
            results=tuple(self._results(name, segment, printer, written)),
        )

    def _stimulated(self) -> Iterable[Slot]:
        """Inputs that the derivatives read."""
        used = free_names(self.segments["derivatives"].expressions())
        for place, item in enumerate(self.program.model.inputs):
            if item.name in used:
                yield Slot(place, self.identifiers[item.name])

    def _segment_names(self) -> dict[str, str]:
        names = {**self.identifiers}
        return {**names, **{name: f"fixed.{self.identifiers[name]}" for name in self.fixed_names}}

    def _results(self, name: str, segment: Segment, printer: Printer, written: Mapping[str, int]) -> Iterable[Slot]:
        given = dict(segment.results)
        for item, place in written.items():
            if item in given:
                yield Slot(place, item, printer.real(given[item]))
            elif name == "derivatives":
                yield Slot(place, item, "splat(R(0.0))")

    def _noises(self, states: Mapping[str, int]) -> Iterable[Slot]:
        """What becomes of each noisy state: the value it would have without randomness, and a random kick."""
        means = {slot.index: slot.text for slot in self._processes(states)}
        for stream, noise in enumerate(self.program.model.noises):
            place = states[noise.variable]
            kick = f"{self._coefficient(noise, 'scale')} * pick(normals[{stream}], step)"
            kind = "additive" if noise.kind == "additive" else "Ornstein-Uhlenbeck, exact"
            without = means.get(place, f"state[{place}]")
            yield Slot(place, text=f"{without} + {kick}", comment=f"{noise.variable}: {kind}")

    def _processes(self, states: Mapping[str, int]) -> Iterable[Slot]:
        """The mean course of each Ornstein-Uhlenbeck process over a step."""
        for noise in self.program.model.noises:
            if noise.kind == "ornstein_uhlenbeck":
                place, mean = states[noise.variable], self._coefficient(noise, "mu")
                back = f"(state[{place}] - {mean}) * {self._coefficient(noise, 'decay')} + {mean}"
                yield Slot(place, text=back)

    def _coefficient(self, noise: Noise, name: str) -> str:
        given = dict(self.segments["noise"].results)
        return Printer(self._segment_names(), self.scalars).print(given[noise_coefficient(noise, name)], 3)


def _integer_powers(line: Line) -> bool:
    return all(item.exp.is_Integer for item in line.expression.atoms(sp.Pow) if item.free_symbols)


def _bounds(variables: Sequence[StateVariable]) -> Iterable[Slot]:
    for place, item in enumerate(variables):
        low, high = item.bounds
        if low is not None:
            yield Slot(place, text=f"maximum(state[{place}], splat({_number(low)}))")
        if high is not None:
            yield Slot(place, text=f"minimum(state[{place}], splat({_number(high)}))")


def _number(value: float) -> str:
    return Printer({}, frozenset()).print(sp.Float(value, 17), 1)


def _remark(text: str) -> str:
    return f"  // {_one_line(text)}" if text else ""


def _one_line(text: str) -> str:
    """Text of a model file made safe for a line comment: printable, one line, no splice at its end."""
    plain = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    return plain.rstrip("\\ ").replace("??/", "? ?/")


def _comment(text: str) -> str:
    """Text of a model file as line comments."""
    return "\n".join(f"// {line}".rstrip("\\ ") for line in textwrap.wrap(_one_line(text), 110)) or "//"
