"""Build what has expressions: derived quantities, time derivatives, couplings, noise, exposures, as trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ratemlx.errors import ModelError
from ratemlx.ir import limits
from ratemlx.ir.context import Context
from ratemlx.ir.model import TOTAL, NoiseKind
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
_NOISES: dict[str, NoiseKind] = {"additive": "additive", "ornstein_uhlenbeck": "ornstein_uhlenbeck"}
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
    if len(node.cases) > MAX_CASES:
        context.error("limit", f"'{node.name}' has more than {MAX_CASES} cases", node.span)
        return None
    values = [context.formula(case.value, DYNAMICS) for case in node.cases]
    conditions = [context.formula(case.condition, DYNAMICS) for case in node.cases if case.condition]
    unit = context.unit(node.unit)
    tests = [condition for condition in conditions if condition is not None]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(node.cases) or len(tests) != len(node.cases) - 1:
        return None
    tree = known[-1].tree
    for case, condition, value in zip(node.cases[-2::-1], tests[::-1], known[-2::-1], strict=True):
        tree = Call(case.span, "where", (condition.tree, value.tree, tree))
    try:
        limits.check(tree)
    except ModelError as error:
        context.diagnostics.extend(error.diagnostics)
        return None
    uses = frozenset().union(*(formula.uses for formula in (*known, *tests)))
    return Named(node, Formula(known[-1].text, tree, uses), unit)


def build_time_derivatives(context: Context, nodes: Iterable[TimeDerivativeNode]) -> dict[str, Formula]:
    """The time derivative of each state variable, in their order; Ornstein-Uhlenbeck processes have none."""
    found = {node.variable.value: context.formula(node.value, DYNAMICS) for node in nodes}
    return {name: formula for name in context.names_of("state variable") if (formula := found.get(name))}


def build_coupling(context: Context, node: CouplingNode, own: Sequence[Declared]) -> CouplingDraft | None:
    """A coupling term; `own` are names that only its `pre` knows."""
    sources = tuple((source.name.value, source.source.value) for source in node.sources)
    context.used.update(state for _, state in sources)
    pre = context.formula(node.pre, PRE.with_local(*own)) if node.pre else None
    post = context.formula(node.post, POST.with_local(Declared(TOTAL, "source"))) if node.post else None
    factor = context.formula(node.factor, FACTOR) if node.factor else None
    context.used.update(pre.uses if pre else ())
    missing = (node.pre and not pre) or (node.post and not post) or (node.factor and not factor)
    if missing:
        return None
    return CouplingDraft(node, sources, pre.tree if pre else Number(None, ZERO), post, factor)


def build_noise(context: Context, node: NoiseNode) -> NoiseDraft | None:
    """Noise on a state variable."""
    kind = _NOISES.get(node.kind.value)
    sigma = context.formula(node.sigma, NOISE)
    tau = context.formula(node.tau, NOISE) if node.tau else None
    mu = context.formula(node.mu, NOISE) if node.mu else None
    if kind is None or sigma is None or (node.tau and not tau) or (node.mu and not mu):
        return None
    return NoiseDraft(node, kind, sigma, tau, mu)
