"""Names that the page about reading a kernel explains are those of the committed kernels."""

from __future__ import annotations

import re

from tests.house.sources import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reading-a-kernel.md").read_text(encoding="utf-8")


def _first_cells(title: str) -> list[str]:
    section = PAGE[PAGE.index(title) :].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)


def test_functions_are_those_of_the_kuramoto_kernel() -> None:
    kernel = (CHECKOUT / "generated" / "kuramoto" / "cuda" / "kuramoto.cu").read_text(encoding="utf-8")
    named = _first_cells("## From top to bottom")
    assert len(named) > 8
    assert [name for name in named if f" {name}(" not in kernel] == []


def test_statements_are_those_of_the_adex_kernel() -> None:
    kernel = (CHECKOUT / "generated" / "adex" / "cuda" / "adex.cu").read_text(encoding="utf-8")
    named = _first_cells("## Transfer functions and their derivatives")
    assert len(named) == 11
    assert [name for name in named if f" {name} = " not in kernel] == []
