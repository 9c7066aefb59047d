"""Build what has a number: parameters, constants, state variables."""

from __future__ import annotations

import math

from ratemlx.ir.context import Context
from ratemlx.ir.model import Constant, Parameter, Scale, StateVariable
from ratemlx.ir.names import element
from ratemlx.lems.document import ConstantNode, ParameterNode, StateVariableNode
from ratemlx.source import Text

Pair = tuple[float, float]
Bounds = tuple[float | None, float | None]


def declare_constant(context: Context, node: ConstantNode) -> None:
    """Declare a constant, scalar or vector."""
    size = len(node.values)
    context.declare(node.name, "vector constant" if size > 1 else "constant", size)


def build_parameter(context: Context, node: ParameterNode) -> Parameter:
    """A parameter; without a default it gets the middle of its range (geometric on a log scale)."""
    scale: Scale = "log" if node.scale and node.scale.value == "log" else "linear"
    limits = _range(context, node, scale)
    default = context.number(node.default) if node.default else _middle(limits, scale)
    if default is None and node.default is None and node.range is None:
        context.error("parameter", "a parameter needs a default or a range", node.span, 'write default="1"')
    if default is not None and limits and not limits[0] <= default <= limits[1] and node.default:
        message = f"the default of '{node.name}' lies outside its range"
        context.warning("default-outside-range", message, node.default.span)
    return Parameter(
        name=node.name.value,
        default=default or 0.0,
        range=limits if limits and limits[0] < limits[1] else None,
        scale=scale,
        unit=context.unit(node.unit),
        description=node.description,
        reference=node.reference,
        span=node.span,
    )


def _range(context: Context, node: ParameterNode, scale: Scale) -> Pair | None:
    """The range of a sweep; equal ends are one value and no range to sweep."""
    if node.range is None:
        return None
    low, high = (context.number(text) for text in node.range)
    if low is None or high is None:
        return None
    if low > high:
        context.error("range", "a range begins with its lower end", node.range[0].span, f"write {high:g}, {low:g}")
    elif scale == "log" and low <= 0:
        context.error("range", "a range on a log scale lies above 0", node.range[0].span)
    else:
        return low, high
    return None


def _middle(limits: Pair | None, scale: Scale) -> float | None:
    if limits is None:
        return None
    return math.sqrt(limits[0]) * math.sqrt(limits[1]) if scale == "log" else limits[0] / 2 + limits[1] / 2


def build_constants(context: Context, node: ConstantNode) -> tuple[Constant, ...]:
    """A constant, or those that a vector consists of."""
    unit = context.unit(node.unit)
    name = node.name.value
    names = [name] if len(node.values) == 1 else [element(name, index) for index in range(len(node.values))]
    values = [context.number(text) for text in node.values]
    return tuple(
        Constant(item, value or 0.0, unit, node.description, node.reference, node.span)
        for item, value in zip(names, values, strict=True)
    )


def build_state_variable(context: Context, node: StateVariableNode) -> StateVariable:
    """A state variable; its start must lie within its bounds, a range to draw from is cut at them."""
    bounds = _bounds(context, node)
    return StateVariable(
        name=node.name.value,
        initial=_within(context, node, _initial(context, node) or (0.0, 0.0), bounds),
        bounds=bounds,
        unit=context.unit(node.unit),
        description=node.description,
        span=node.span,
    )


def _within(context: Context, node: StateVariableNode, initial: Pair, bounds: Bounds) -> Pair:
    low = -math.inf if bounds[0] is None else bounds[0]
    high = math.inf if bounds[1] is None else bounds[1]
    cut = max(initial[0], low), min(initial[1], high)
    span = node.initial[0].span if node.initial else node.span
    if cut[0] > cut[1]:
        context.error("initial", f"the start of '{node.name}' lies outside its bounds", span)
        return initial
    if cut != initial:
        message = f"part of the range from which '{node.name}' starts lies outside its bounds and is cut off"
        context.warning("initial", message, span)
    return cut


def _initial(context: Context, node: StateVariableNode) -> Pair | None:
    """One value, or a range from which each region's start is drawn; 0 when there is none."""
    if len(node.initial) > 2:
        hint = "write one value, or the two ends of a range to draw from"
        context.error("initial", f"the start of '{node.name}' has more than two numbers", node.initial[2].span, hint)
        return None
    values = [context.number(text) for text in node.initial] or [0.0]
    low, high = values[0], values[-1]
    if low is None or high is None:
        return None
    if low > high:
        context.error("initial", "a range begins with its lower end", node.initial[0].span, f"write {high:g}, {low:g}")
        return None
    return low, high


def _bounds(context: Context, node: StateVariableNode) -> Bounds:
    """Lower and upper bound; an infinite one is none."""
    low, high = (_bound(context, text) for text in node.bounds)
    if low is not None and high is not None and low >= high:
        first = node.bounds[0]
        context.error("bounds", "the lower bound must lie below the upper one", first.span if first else node.span)
        return None, None
    if low == math.inf or high == -math.inf:
        context.error("bounds", f"the bounds of '{node.name}' leave no values", node.span)
        return None, None
    return None if low == -math.inf else low, None if high == math.inf else high


def _bound(context: Context, text: Text | None) -> float | None:
    return context.number(text, infinite=True) if text else None
