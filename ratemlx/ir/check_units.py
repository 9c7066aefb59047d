"""Check the units of a whole model, quantity by quantity, in the order in which they are computed.

A model without any unit is not checked. Where some quantity has a unit, one without is a pure number; derived
quantities without a unit get that of their expression. Weights are pure numbers, time is in ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from ratemlx.ir.context import Context
from ratemlx.ir.draft import Draft
from ratemlx.ir.dynamics import CouplingDraft, Named, NoiseDraft
from ratemlx.ir.infer_transfer_units import infer_outputs
from ratemlx.ir.infer_units import Inference
from ratemlx.ir.model import CONDUCTION_SPEED, TIME_STEP, TOTAL
from ratemlx.ir.nodes import Node
from ratemlx.ir.transfers import UseDraft
from ratemlx.ir.units import ONE, Unit, parse_unit
from ratemlx.source import Span
from ratemlx.transfer.base import Result

MS = parse_unit("ms")
SPEED = parse_unit("mm/ms")
ROOT = Fraction(1, 2)


def check_units(context: Context, draft: Draft) -> None:
    """Report every place where units do not fit; does nothing for a model without units."""
    if _has_units(draft):
        _Checker(context, draft).check()


def _has_units(draft: Draft) -> bool:
    named = (*draft.derived_parameters, *draft.derived_variables, *draft.exposures)
    return any(unit for _, unit in _plain(draft)) or any(item.unit for item in named)


def _plain(draft: Draft) -> Iterator[tuple[str, Unit | None]]:
    """Quantities that have a number, with the units they state."""
    for parameter in draft.parameters:
        yield parameter.name, parameter.unit
    for constant in draft.constants:
        yield constant.name, constant.unit
    for state in draft.state_variables:
        yield state.name, state.unit
    for item in draft.inputs:
        yield item.name, item.unit


class _Checker:
    """The units known so far, by name."""

    def __init__(self, context: Context, draft: Draft) -> None:
        self.context = context
        self.draft = draft
        self.units: dict[str, Unit | None] = {"pi": ONE, "inf": None, TIME_STEP: MS, "n_node": ONE}
        self.arguments: dict[str, dict[str, Unit | None]] = {}
        self.inference = Inference(self.units, self.arguments, self._report)

    def _report(self, message: str, span: Span | None, hint: str | None) -> None:
        self.context.error("units", message, span, hint)

    def check(self) -> None:
        for name, unit in _plain(self.draft):
            self.units[name] = unit or ONE
        self._speed()
        for named in self.draft.derived_parameters:
            self._named(named)
        for coupling in self.draft.couplings:
            self._coupling(coupling)
        for derived in self.draft.derived:
            if isinstance(derived, UseDraft):
                self._use(derived, self.inference)
            else:
                self._named(derived)
        self._dynamics()
        for exposure in self.draft.exposures:
            self.inference.require(exposure.formula.tree, exposure.unit, f"the exposure '{exposure.name}'")

    def _speed(self) -> None:
        for item in self.draft.parameters:
            if item.name in CONDUCTION_SPEED and item.unit not in (None, SPEED):
                message = f"'{item.name}' is in {SPEED}, not in {item.unit}"
                self._report(message, item.span, f'write unit="{SPEED}"')

    def _named(self, item: Named) -> None:
        if item.unit is None:
            self.units[item.name] = self.inference.infer(item.formula.tree)
        else:
            self.inference.require(item.formula.tree, item.unit, f"'{item.name}'")
            self.units[item.name] = item.unit

    def _coupling(self, item: CouplingDraft) -> None:
        """The term's unit is that of factor * post * pre, or factor * post where post names the sum."""
        local = {name: self.units.get(state) for name, state in item.sources}
        for use in self.draft.uses_of(item):
            if use.node.name.value not in self.arguments:  # unless another term of the component has it too
                self._use(use, Inference({**self.units, **local}, self.arguments, self._report))
        summed = Inference({**self.units, **local}, self.arguments, self._report).infer(item.pre)
        inference = Inference({**self.units, TOTAL: summed}, self.arguments, self._report)
        post = inference.infer(item.post.tree) if item.post else ONE
        factor = inference.infer(item.factor.tree) if item.factor else ONE
        within = item.post is not None and TOTAL in item.post.uses
        parts = [post, factor] if within else [summed, post, factor]
        unit: Unit | None = ONE
        for part in parts:
            unit = unit * part if unit and part else None
        self.units[item.node.name.value] = unit

    def _use(self, item: UseDraft, inference: Inference) -> None:
        """Arguments and coefficients against the units that the function states; those it leaves open fit any."""
        name, function = item.node.name.value, item.function
        stated = {argument.name: _stated(argument.unit) for argument in function.arguments}
        stated |= {coefficient.name: _stated(coefficient.unit) for coefficient in function.coefficients}
        arguments: dict[str, Unit | None] = {}
        for argument, formula in item.arguments:
            place = f"the argument '{argument}' of '{function.name}'"
            arguments[argument] = _required(inference, formula.tree, stated[argument], place)
        coefficients: dict[str, Unit | None] = {}
        for coefficient, tree in item.coefficients:
            base, _, index = coefficient.partition("[")
            coefficients[coefficient] = stated[base]
            if tree.span is not None:  # neither a default nor from a file
                expected = stated[base] if index in ("", "0]") else None
                place = f"the coefficient '{base}' of '{function.name}'"
                unit = _required(inference, tree, expected, place)
                coefficients[coefficient] = stated[base] or unit
        self.arguments[name] = arguments
        self._outputs(item, {**arguments, **coefficients})

    def _outputs(self, item: UseDraft, inputs: Mapping[str, Unit | None]) -> None:
        """The units of the results: as stated, else worked out through the function's statements."""
        name, outputs = item.node.name.value, item.function.outputs
        units: Mapping[str, Unit | None] = {}
        if not all(unit for _, unit in outputs):
            units = infer_outputs(item.function, inputs, lambda what: self._report(what, item.node.name.span, None))
        for output, unit in outputs:
            self.units[str(Result(name, output))] = _stated(unit) or units.get(output)
        self.units[name] = self.units[str(Result(name, outputs[0][0]))]

    def _dynamics(self) -> None:
        for state, formula in self.draft.time_derivatives.items():
            unit = self.units[state]
            expected = unit / MS if unit else None
            self.inference.require(formula.tree, expected, f"the time derivative of '{state}'")
        for noise in self.draft.noises:
            self._noise(noise)

    def _noise(self, item: NoiseDraft) -> None:
        name = item.node.variable.value
        unit = self.units.get(name)
        expected = unit / MS**ROOT if unit else None
        self.inference.require(item.sigma.tree, expected, f"sigma of the noise on '{name}'")
        if item.tau:
            self.inference.require(item.tau.tree, MS, f"tau of the noise on '{name}'")
        if item.mu:
            self.inference.require(item.mu.tree, unit, f"mu of the noise on '{name}'")


def _required(inference: Inference, tree: Node, stated: Unit | None, place: str) -> Unit | None:
    """The stated unit, which an expression has to have; where none is stated, its own."""
    if stated is None:
        return inference.infer(tree)
    inference.require(tree, stated, place)
    return stated


def _stated(unit: str) -> Unit | None:
    """The unit that a transfer function states; None where it states none."""
    return parse_unit(unit) if unit else None
