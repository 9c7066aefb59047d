"""Reads noise; RateML's empty noise component means additive noise of strength `nsig` on every state variable."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ratemlx.lems.document import ConstantNode, DerivedParameterNode, NoiseNode, ParameterNode, StateVariableNode
from ratemlx.lems.element import Element
from ratemlx.lems.notes import Notes
from ratemlx.lems.values import enclosed, expression, required
from ratemlx.source import Text

STRENGTH = ("nsig", "NSIG")
_TIME_STEP = re.compile(r"\bdt\b")


def read_noise(element: Element, notes: Notes) -> NoiseNode:
    """A Noise element."""
    tau, mu = element.get("tau"), element.get("mu")
    return NoiseNode(
        variable=required(element, "variable"),
        kind=required(element, "type").stripped(),
        sigma=expression(required(element, "sigma"), notes),
        tau=expression(tau, notes) if tau else None,
        mu=expression(mu, notes) if mu else None,
        span=element.span,
    )


def noise_everywhere(
    component: Element,
    states: Sequence[StateVariableNode],
    named: Sequence[ParameterNode | ConstantNode | DerivedParameterNode],
    notes: Notes,
) -> tuple[NoiseNode, ...]:
    """What RateML makes of an empty noise component.

    It adds nsig * N(0, 1) in every step. Where `nsig` holds the factor sqrt(dt), sigma is nsig / sqrt(dt); where it
    does not, the factor was forgotten and nsig is taken as sigma.
    """
    notes.legacy("legacy-noise", component.span)
    strength = _strength(component, named)
    if _TIME_STEP.search(strength.value):
        strength = enclosed("(", strength, ")/sqrt(dt)")
    else:
        notes.legacy("legacy-noise-scale", strength.span)
    kind = Text("additive", component.span)
    return tuple(NoiseNode(state.name, kind, strength, None, None, component.span) for state in states)


def _strength(component: Element, named: Sequence[ParameterNode | ConstantNode | DerivedParameterNode]) -> Text:
    for node in named:
        if node.name.value in STRENGTH:
            return node.value if isinstance(node, DerivedParameterNode) else node.name
    return Text("1", component.span)
