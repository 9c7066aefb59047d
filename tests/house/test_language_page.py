"""The language reference names every code, function, element and attribute, and no code that does not exist."""

from __future__ import annotations

import re

import pytest

from ratemlx.ir.functions import FUNCTIONS
from ratemlx.lems.legacy import SPELLINGS
from ratemlx.lems.vocabulary import KINDS
from tests.house.diagnostics import diagnostic_codes
from tests.house.sources import CHECKOUT

PAGE = (CHECKOUT / "docs" / "language.md").read_text(encoding="utf-8")


def _documented_codes() -> set[str]:
    section = PAGE[PAGE.index("## Rules and their codes") :]
    cells = re.findall(r"^\| ([^|]*) \|", section, flags=re.MULTILINE)
    return {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)}


def test_codes() -> None:
    assert _documented_codes() == diagnostic_codes() | {"silent-coupling"}


@pytest.mark.parametrize("code", SPELLINGS)
def test_warnings_about_older_spellings_are_quoted(code: str) -> None:
    message, hint = SPELLINGS[code]
    assert f"| `{code}` | {message} | {hint} |" in PAGE


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_elements_and_attributes() -> None:
    elements = {tag for kind in KINDS.values() for tag, _ in kind.children}
    attributes = {name for kind in KINDS.values() for name in kind.known}
    assert [name for name in elements | attributes if name not in PAGE] == []
