"""Whether a model has delays, and what sets the conduction speed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ratemlx.lems.document import ConstantNode, DerivedParameterNode, ParameterNode
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.lems.quoting import quote
from ratemlx.source import Text

CONDUCTION_SPEED = ("conduction_speed", "global_speed")
RECIPROCAL = "rec_speed_dt"

_ZERO = re.compile(r"0+(?:\.0*)?")
_ONE_OVER = re.compile(r"1(?:\.0*)?\s*/\s*([\w.]+)\s*/\s*(?:dt|\(\s*dt\s*\))")
_ONE_OVER_PRODUCT = re.compile(r"1(?:\.0*)?\s*/\s*\(\s*([\w.]+)\s*\*\s*dt\s*\)")
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")


@dataclass(frozen=True)
class Delays:
    """Whether there are delays; the speed (mm/ms) if the file fixes it, else a parameter or the run gives it."""

    present: bool
    fixed_speed: Text | None = None


def read_delays(
    lems: Element,
    parameters: Sequence[ParameterNode],
    constants: Sequence[ConstantNode],
    derived: Sequence[DerivedParameterNode],
    notes: Notes,
) -> Delays:
    """What the file says of delays: an attribute of Lems, a speed, or RateML's `rec_speed_dt`."""
    reciprocal = next((node for node in derived if node.name.value == RECIPROCAL), None)
    stated = _stated(lems, notes)
    if stated is False:
        return Delays(present=False)
    if reciprocal is not None:
        notes.legacy("legacy-speed", reciprocal.span)
        return _from_reciprocal(reciprocal.value, parameters, constants, notes)
    if stated is None and (coupling := _numbered_source(lems)) is not None:
        notes.legacy("legacy-no-delays", coupling.span)
        return Delays(present=False)
    fixed = (node.values[0] for node in constants if node.name.value in CONDUCTION_SPEED)
    return Delays(present=True, fixed_speed=next(fixed, None))


def _stated(lems: Element, notes: Notes) -> bool | None:
    text = lems.get("delays")
    if text is None:
        return None
    if text.value not in ("true", "false"):
        notes.error("delays", f"{quote(text.value)} is neither true nor false", text.span, 'write delays="false"')
    return text.value != "false"


def _numbered_source(lems: Element) -> Element | None:
    """A coupling that reads a state variable by number, which tells that the file follows RateML's rules."""
    for component in lems.all("ComponentType"):
        for source in component.all("Parameter"):
            if "coupling" in str(component.get("name")) and source.get("source") is None:
                return component
    return None


def _from_reciprocal(
    text: Text, parameters: Sequence[ParameterNode], constants: Sequence[ConstantNode], notes: Notes
) -> Delays:
    """The speed in `1 / speed / dt`."""
    stripped = text.stripped()
    if _ZERO.fullmatch(stripped.value):
        return Delays(present=False)
    match = _ONE_OVER.fullmatch(stripped.value) or _ONE_OVER_PRODUCT.fullmatch(stripped.value)
    if match is None:
        message = "the conduction speed cannot be read from this expression"
        notes.error("conduction-speed", message, text.span, "write 1 / conduction_speed / dt, or 0 for no delays")
        return Delays(present=True)
    speed = stripped.part(*match.span(1))
    if _NUMBER.fullmatch(speed.value):
        return Delays(present=True, fixed_speed=speed)
    for constant in constants:
        if constant.name.value == speed.value:
            return Delays(present=True, fixed_speed=constant.values[0])
    declared = {node.name.value for node in parameters}
    if speed.value not in declared:
        hint = 'add <Parameter name="global_speed" range="1, 10"/>, or write a number'
        message = f"{quote(speed.value)} is neither a parameter nor a constant of this file"
        notes.error("conduction-speed", message, speed.span, hint)
    elif speed.value not in CONDUCTION_SPEED:
        message = f"the parameter {quote(speed.value)} is not known as the conduction speed"
        notes.error("conduction-speed", message, speed.span, "rename it to conduction_speed")
    return Delays(present=True)
