"""Settings of BOLD from texts such as `tau_s=0.8` and `band=0.008:0.08`, as a command line has them."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from ratemlx.errors import SweepError
from ratemlx.observables.settings import Balloon, BoldSettings
from ratemlx.runtime.arrays import did_you_mean

FORM = "write NAME=VALUE, as in tau_s=0.8, volume=mean or band=0.008:0.08"
NOT_HERE = ("TR", "balloon", "fc")
"""TR is given by itself; connectivity of BOLD is always there."""


def option_names() -> tuple[str, ...]:
    """All names: those of the signal, then the constants of the model."""
    return (*(item.name for item in fields(BoldSettings) if item.name not in NOT_HERE), *_constants())


def parse_bold(TR: float | None, texts: Iterable[str]) -> BoldSettings | None:
    """Settings for a TR (ms) and some texts; None without a TR. Raises SweepError."""
    values = dict(_pair(text) for text in texts)
    if TR is None:
        if values:
            raise SweepError(f"{next(iter(values))} is set for a BOLD signal that is not asked for", "add --bold TR")
        return None
    constants = {name: values.pop(name) for name in _constants() if name in values}
    return BoldSettings(TR=TR, balloon=Balloon(**constants), **values)


def _constants() -> tuple[str, ...]:
    return tuple(item.name for item in fields(Balloon))


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value:
        raise SweepError(f"cannot read the BOLD option {text[:60]!r}", FORM)
    if name not in option_names():
        raise SweepError(f"BOLD has no option {name[:60]!r}", did_you_mean(name, option_names()))
    return name, _value(name, value)


def _value(name: str, text: str) -> Any:
    """A number, a choice, or the two ends of a band, as the setting's type says."""
    kind = (typing.get_type_hints(Balloon) | typing.get_type_hints(BoldSettings))[name]
    if typing.get_origin(kind) is typing.Literal:
        return text  # which there are is said by the settings themselves
    try:
        if name == "band":
            low, high = text.split(":")
            return float(low), float(high)
        return int(text) if kind is int else float(text)
    except ValueError:
        raise SweepError(f"BOLD's {name} cannot be {text[:60]!r}", FORM) from None
