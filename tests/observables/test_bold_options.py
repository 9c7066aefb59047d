"""Settings of BOLD as texts."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ratemlx.errors import SweepError
from ratemlx.observables.bold_options import option_names, parse_bold
from ratemlx.observables.settings import Balloon, BoldSettings


def test_every_constant_can_be_set() -> None:
    assert {item.name for item in fields(Balloon)} <= set(option_names())
    assert parse_bold(None, ()) is None
    assert parse_bold(720.0, ()) == BoldSettings(TR=720.0)
    texts = ["tau_s=0.8", " coefficients = classical", "step=4", "volume=mean", "band=0.008:0.08", "order=3"]
    assert parse_bold(720.0, texts) == BoldSettings(
        TR=720.0,
        balloon=Balloon(tau_s=0.8, coefficients="classical"),
        step=4.0,
        volume="mean",
        band=(0.008, 0.08),
        order=3,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tau_s", "cannot read the BOLD option"),
        ("tau_x=1", "BOLD has no option 'tau_x'"),
        ("tau_s=fast", "tau_s cannot be 'fast'"),
        ("tau_s=nan", "must be a finite number"),
        ("band=0.1", "band cannot be"),
        ("band=0.1:9", "must be above 0, rise, and stay below"),
        ("order=2.5", "order cannot be"),
        ("volume=first", "BOLD has no volume 'first'"),
        ("TR=3", "BOLD has no option 'TR'"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(SweepError) as found:
        parse_bold(720.0, [text])
    assert message in found.value.render() if hasattr(found.value, "render") else str(found.value)


def test_options_without_a_signal() -> None:
    with pytest.raises(SweepError, match="tau_s is set for a BOLD signal that is not asked for"):
        parse_bold(None, ["tau_s=0.8"])
