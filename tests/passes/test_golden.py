"""What each stage makes of a small model, to the letter. `RATEMLX_UPDATE=1 pytest tests/passes` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ratemlx.ir.model import Model
from ratemlx.passes.pipeline import STAGES, stage_text

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in ("names", "units")])
def test_stage_prints_what_it_printed(small: Model, stage: str) -> None:
    text = stage_text(small, stage)
    path = GOLDEN / f"small_{stage}.txt"
    if os.environ.get("RATEMLX_UPDATE"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
