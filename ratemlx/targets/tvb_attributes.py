"""Parameters and constants of a model as attributes of a TVB class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp

from ratemlx.ir.model import Constant, Input, Model, Parameter
from ratemlx.passes.hoist import evaluate_numbers
from ratemlx.passes.program import symbol
from ratemlx.targets.tvb_names import attribute_names

STEPS = 100
"""Steps that TVB's user interface offers within a parameter's range."""


@dataclass(frozen=True)
class Attribute:
    """An attribute: the names of the model that it holds (those of a vector's elements), as Python text what it is."""

    name: str
    elements: tuple[str, ...]
    size: int
    default: str
    domain: str
    doc: str

    def matches(self, names: Iterable[str]) -> bool:
        """Whether one of the names is in this attribute."""
        return not set(self.elements).isdisjoint(names)

    def texts(self, owner: str) -> dict[str, str]:
        """How the names of the model are written where `owner` holds the attribute."""
        own = f"{owner}.{self.name}"
        if not self.size:
            return {self.elements[0]: own}
        return {name: f"np.ravel({own})[{place}]" for place, name in enumerate(self.elements)}


def attributes_of(model: Model) -> tuple[Attribute, ...]:
    """Attributes for all parameters but the conduction speed, inputs (at rest), and all constants, in this order."""
    parameters = [item for item in model.parameters if not item.is_conduction_speed]
    vectors: dict[str, list[Constant]] = {}
    for item in model.constants:
        vectors.setdefault(item.name.partition("[")[0], []).append(item)
    names = attribute_names([item.name for item in parameters] + [item.name for item in model.inputs] + [*vectors])
    found = [_parameter(item, names[item.name]) for item in parameters]
    found += [Attribute(names[item.name], (item.name,), 0, "[0.0]", "", _about(item)) for item in model.inputs]
    return (*found, *(_constant(items, names[name]) for name, items in vectors.items()))


def stimuli_of(model: Model) -> tuple[Attribute, ...]:
    """Attributes of the coupling, which knows the time, for time courses of inputs."""
    names = attribute_names(item.name for item in model.inputs)
    shape = "Time course: a value, or one per region, for each step of the simulation; zero after its end"
    return tuple(
        Attribute(names[item.name], (item.name,), 0, "[0.0]", "", f"{_about(item)}. {shape}") for item in model.inputs
    )


def over_attributes(model: Model, expression: sp.Expr) -> sp.Expr:
    """An expression with derived parameters written out, down to parameters and constants."""
    derived: dict[sp.Symbol, sp.Expr] = {}
    for item in model.derived_parameters:
        derived[symbol(item.name)] = item.expression.xreplace(derived)
    return evaluate_numbers(expression.xreplace(derived))


def _parameter(item: Parameter, name: str) -> Attribute:
    return Attribute(name, (item.name,), 0, f"[{item.default!r}]", _domain(item), _doc(item))


def _constant(items: list[Constant], name: str) -> Attribute:
    is_vector = "[" in items[0].name
    values = ", ".join(repr(item.value) for item in items)
    elements = tuple(item.name for item in items)
    return Attribute(name, elements, len(items) if is_vector else 0, f"[{values}]", "", _doc(items[0]))


def _domain(item: Parameter) -> str:
    """TVB's ranges end before their upper limit, so a default there moves it by a step."""
    if item.range is None or item.range[0] == item.range[1]:
        return ""
    low, high = item.range
    step = float(f"{(high - low) / STEPS:.3g}")
    if item.default >= high:
        high += step
    return f"Range(lo={low!r}, hi={high!r}, step={step!r})"


def _doc(item: Parameter | Constant) -> str:
    about = _about(item)
    return f"{about}. {item.reference}" if item.reference else about or item.name


def _about(item: Parameter | Constant | Input) -> str:
    unit = str(item.unit or "")
    return f"{item.description} [{unit}]" if unit not in ("", "1") else item.description or item.name
