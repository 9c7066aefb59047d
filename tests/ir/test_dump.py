"""The text of a model, compared with the golden ones. RATEMLX_WRITE_EXPECTED=1 rewrites them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ratemlx.ir.dump import dump
from ratemlx.load import load

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["kuramoto", "montbrio", "tour"])
def test_golden_text(name: str) -> None:
    source = GOLDEN / f"{name}.xml"
    shown = dump(load(source if source.is_file() else name))
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("RATEMLX_WRITE_EXPECTED"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_the_same_model_gives_the_same_text() -> None:
    assert dump(load("adex")) == dump(load("adex"))
