"""Tables of a model's quantities in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ratemlx.describe.latex import latex, name_latex, upright
from ratemlx.ir.model import Constant, Model, Parameter, StateVariable
from ratemlx.ir.units import Unit

Rows = Sequence[tuple[str, ...]]


def parameters(model: Model) -> list[str]:
    """What a sweep may vary."""
    rows = [
        (*_named(item.name), f"{item.default:.6g}", _range(item), _unit(item.unit), item.description)
        for item in model.parameters
    ]
    return _table(("Name", "Symbol", "Default", "Range", "Unit", "Meaning"), rows)


def constants(model: Model) -> list[str]:
    """What is fixed; vectors in one row."""
    return _table(("Name", "Symbol", "Value", "Unit", "Meaning"), list(_constants(model.constants)))


def state_variables(model: Model) -> list[str]:
    """What a region's state is made of."""
    rows = [
        (*_named(item.name), _start(item), _bounds(item), _unit(item.unit), item.description)
        for item in model.state_variables
    ]
    return _table(("Name", "Symbol", "Start", "Bounds", "Unit", "Meaning"), rows)


def exposures(model: Model) -> list[str]:
    """What a run stores."""
    rows = [
        (f"`{item.name}`", f"${latex(item.expression)}$", _unit(item.unit), item.description)
        for item in model.exposures
    ]
    return _table(("Name", "Value", "Unit", "Meaning"), rows)


def inputs(model: Model) -> list[str]:
    """What a stimulus may drive."""
    rows = [(*_named(item.name), _unit(item.unit), item.description) for item in model.inputs]
    return _table(("Name", "Symbol", "Unit", "Meaning"), rows)


def _constants(items: Sequence[Constant]) -> Iterator[tuple[str, ...]]:
    vectors: dict[str, list[Constant]] = {}
    for item in items:
        vectors.setdefault(item.name.partition("[")[0], []).append(item)
    for name, elements in vectors.items():
        values = ", ".join(f"{item.value:.6g}" for item in elements)
        yield (*_named(name), values, _unit(elements[0].unit), _cited(elements[0]))


def _cited(item: Constant) -> str:
    return f"{item.description} ({item.reference})" if item.reference else item.description


def _named(name: str) -> tuple[str, str]:
    """A name, and its symbol where that is not the name itself."""
    symbol = name_latex(name)
    return f"`{name}`", "" if symbol in (name, upright(name)) else f"${symbol}$"


def _range(item: Parameter) -> str:
    if item.range is None:
        return ""
    low, high = item.range
    return f"{low:.6g} to {high:.6g}" + (", log" if item.scale == "log" else "")


def _start(item: StateVariable) -> str:
    low, high = item.initial
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"


def _bounds(item: StateVariable) -> str:
    low, high = item.bounds
    if low is None and high is None:
        return ""
    if high is None:
        return f"≥ {low:.6g}"
    return f"≤ {high:.6g}" if low is None else f"{low:.6g} to {high:.6g}"


def _unit(unit: Unit | None) -> str:
    return "" if unit is None or str(unit) == "1" else str(unit)


def _table(headers: Sequence[str], rows: Rows) -> list[str]:
    """Lines of a table, without columns that are empty throughout; none if there are no rows."""
    if not rows:
        return []
    used = [index for index in range(len(headers)) if any(row[index] for row in rows)]
    lines = [headers, ["---"] * len(headers), *rows]
    return ["| " + " | ".join(line[index].replace("|", r"\|") for index in used) + " |" for line in lines]
