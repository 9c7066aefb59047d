"""Build what has expressions: derived quantities, time derivatives, couplings, noise, exposures, as trees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ratemlx.ir.context import Context
from ratemlx.ir.model import TOTAL, NoiseKind
from ratemlx.ir.names import did_you_mean
from ratemlx.ir.nodes import Call, Node, Number
from ratemlx.ir.scope import DYNAMICS, FACTOR, NOISE, POST, PRE, Declared, Formula, Scope
from ratemlx.ir.units import Unit
from ratemlx.lems.document import (
    ConditionalDerivedVariableNode,
    CouplingNode,
    DerivedParameterNode,
    DerivedVariableNode,
    ExposureNode,
    NoiseNode,
    TimeDerivativeNode,
)

ZERO = Fraction(0)
OU: NoiseKind = "ornstein_uhlenbeck"
_NOISES: dict[str, NoiseKind] = {"additive": "additive", OU: OU}
MAX_CASES = 40


@dataclass(frozen=True)
class Named:
    """A derived quantity or an exposure: its node, expression, and unit if it states one."""

    node: DerivedParameterNode | DerivedVariableNode | ConditionalDerivedVariableNode | ExposureNode
    formula: Formula
    unit: Unit | None

    @property
    def name(self) -> str:
        """The name it is known by."""
        return self.node.name.value


@dataclass(frozen=True)
class CouplingDraft:
    """A coupling term; a missing `pre` is zero, a missing `post` or factor is one."""

    node: CouplingNode
    sources: tuple[tuple[str, str], ...]
    pre: Node
    post: Formula | None
    factor: Formula | None


@dataclass(frozen=True)
class NoiseDraft:
    """Noise on a state variable."""

    node: NoiseNode
    kind: NoiseKind
    sigma: Formula
    tau: Formula | None
    mu: Formula | None


def build_named(
    context: Context, node: DerivedParameterNode | DerivedVariableNode | ExposureNode, scope: Scope
) -> Named | None:
    """A quantity that one expression defines."""
    formula = context.formula(node.value, scope)
    unit = context.unit(node.unit)
    return Named(node, formula, unit) if formula else None


def build_variable(context: Context, node: DerivedVariableNode | ConditionalDerivedVariableNode) -> Named | None:
    """A derived variable; cases become nested calls of `where`, the last case being the 'else'."""
    if isinstance(node, DerivedVariableNode):
        return build_named(context, node, DYNAMICS)
    values = [context.formula(case.value, DYNAMICS) for case in node.cases]
    conditions = [context.formula(case.condition, DYNAMICS) if case.condition else None for case in node.cases]
    if not node.cases or node.cases[-1].condition is not None:
        message = f"the cases of '{node.name}' lack an 'else'"
        context.error("cases", message, node.span, "leave `condition` out of the last Case")
        return None
    if any(case.condition is None for case in node.cases[:-1]):
        context.error("cases", f"only the last case of '{node.name}' may lack a condition", node.span)
        return None
    if len(node.cases) > MAX_CASES:
        context.error("limit", f"'{node.name}' has more than {MAX_CASES} cases", node.span)
        return None
    unit = context.unit(node.unit)
    tests = [condition for condition in conditions if condition is not None]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or len(tests) < len(values) - 1:
        return None
    tree = known[-1].tree
    for case, condition, value in zip(node.cases[-2::-1], tests[::-1], known[-2::-1], strict=True):
        tree = Call(case.span, "where", (condition.tree, value.tree, tree))
    uses = frozenset().union(*(formula.uses for formula in (*known, *tests)))
    return Named(node, Formula(known[-1].text, tree, uses), unit)


def build_time_derivatives(
    context: Context, nodes: Iterable[TimeDerivativeNode], noises: Iterable[NoiseNode]
) -> dict[str, Formula]:
    """The time derivative of each state variable; one that is an Ornstein-Uhlenbeck process has none."""
    states = {name: item for name, item in context.declared.items() if item.kind == "state variable"}
    processes = {node.variable.value for node in noises if node.kind.value == OU}
    found: dict[str, Formula | None] = {}
    for node in nodes:
        name = node.variable.value
        formula = context.formula(node.value, DYNAMICS)
        if name not in states:
            hint = did_you_mean(name, states) or f"state variables are {', '.join(states)}"
            context.error("unknown-name", f"there is no state variable '{name}'", node.variable.span, hint)
        elif name in found:
            context.error("duplicate-name", f"'{name}' has two time derivatives", node.variable.span)
        elif name in processes:
            message = f"'{name}' is an Ornstein-Uhlenbeck process and has no time derivative besides"
            context.error("time-derivative", message, node.variable.span, "use it in another variable's derivative")
        else:
            found[name] = formula
    for name, item in states.items():
        if name not in found and name not in processes:
            hint = f'write <TimeDerivative variable="{name}" value="..."/>'
            context.error("time-derivative", f"the state variable '{name}' has no time derivative", item.span, hint)
    return {name: formula for name in states if (formula := found.get(name))}


def build_coupling(context: Context, node: CouplingNode) -> CouplingDraft | None:
    """A coupling term; its sources are names of its own."""
    sources = _sources(context, node)
    local = tuple(Declared(source.name.value, "source", source.span) for source in node.sources)
    pre = context.formula(node.pre, PRE.with_local(*local)) if node.pre else None
    post = context.formula(node.post, POST.with_local(Declared(TOTAL, "source"))) if node.post else None
    factor = context.formula(node.factor, FACTOR) if node.factor else None
    missing = (node.pre and not pre) or (node.post and not post) or (node.factor and not factor)
    if missing or sources is None:
        return None
    return CouplingDraft(node, sources, pre.tree if pre else Number(None, ZERO), post, factor)


def _sources(context: Context, node: CouplingNode) -> tuple[tuple[str, str], ...] | None:
    """Pairs of a name in `pre` and the state variable that it reads."""
    states = [name for name, item in context.declared.items() if item.kind == "state variable"]
    pairs: dict[str, str] = {}
    before = len(context.diagnostics)
    for item in node.sources:
        name, source = item.name.value, item.source.value
        if source not in states:
            hint = did_you_mean(source, states) or f"state variables are {', '.join(states)}"
            context.error("unknown-name", f"there is no state variable '{source}'", item.source.span, hint)
        if name in pairs or name in context.declared:
            context.error("duplicate-name", f"the name '{name}' is already taken", item.name.span)
        pairs[name] = source
        context.used.add(source)
    return tuple(pairs.items()) if len(context.diagnostics) == before else None


def build_noise(context: Context, node: NoiseNode) -> NoiseDraft | None:
    """Noise on a state variable."""
    name, kind = node.variable.value, _NOISES.get(node.kind.value)
    declared = context.declared.get(name)
    if declared is None or declared.kind != "state variable":
        states = [item.name for item in context.declared.values() if item.kind == "state variable"]
        hint = did_you_mean(name, states) or f"state variables are {', '.join(states)}"
        context.error("unknown-name", f"there is no state variable '{name}'", node.variable.span, hint)
    if kind is None:
        hint = f"there are {' and '.join(_NOISES)}"
        context.error("noise", f"unknown kind of noise '{node.kind}'", node.kind.span, hint)
    sigma = context.formula(node.sigma, NOISE)
    tau = context.formula(node.tau, NOISE) if node.tau else None
    mu = context.formula(node.mu, NOISE) if node.mu else None
    if kind == OU and node.tau is None:
        context.error("noise", "Ornstein-Uhlenbeck noise needs 'tau'", node.span, "its correlation time in ms")
    if kind == "additive" and (node.tau or node.mu):
        context.error("noise", "additive noise has a sigma only", (node.tau or node.mu or node.kind).span)
    if kind is None or sigma is None:
        return None
    return NoiseDraft(node, kind, sigma, tau, mu)
