"""Noise is of a known kind with what that kind needs, on a state variable, once."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document, NoiseNode
from ratemlx.lems.quoting import did_you_mean, quote

CODES = ("noise-kind", "noise-attribute", "noise-variable")

_KINDS = ("additive", "ornstein_uhlenbeck")


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every noise."""
    states = {node.name.value for node in document.state_variables}
    seen: set[str] = set()
    for noise in document.noises:
        name, kind = noise.variable, noise.kind.value
        if kind not in _KINDS:
            message = f"there is no noise of the type {quote(kind)}"
            yield Diagnostic("noise-kind", message, noise.kind.span, did_you_mean(kind, _KINDS))
        yield from _attributes(noise)
        if not name.value:
            continue
        if name.value in seen:
            message = f"a second noise on the state variable {quote(name.value)}"
            yield Diagnostic(
                "noise-variable", message, name.span, "give the strength of both together: sqrt(a^2 + b^2)"
            )
        elif name.value not in states and kind != "ornstein_uhlenbeck":
            message = f"there is no state variable {quote(name.value)}"
            yield Diagnostic("noise-variable", message, name.span, did_you_mean(name.value, states))
        seen.add(name.value)


def _attributes(noise: NoiseNode) -> Iterator[Diagnostic]:
    if noise.kind.value == "ornstein_uhlenbeck" and noise.tau is None:
        message = "Ornstein-Uhlenbeck noise needs its correlation time"
        yield Diagnostic("noise-attribute", message, noise.span, 'add tau="…", in ms')
    if noise.kind.value == "additive":
        for attribute in (noise.tau, noise.mu):
            if attribute is not None:
                message = "additive noise has a sigma only"
                hint = 'for tau and mu write type="ornstein_uhlenbeck"'
                yield Diagnostic("noise-attribute", message, attribute.span, hint)
