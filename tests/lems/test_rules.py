"""The catalogue of rules is complete, documented and exercised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ratemlx.lems.rules import Rule, catalogue

BAD = Path(__file__).parents[1] / "bad"
CODE = re.compile(r"^.*(?:error|warning): .* \[([a-z0-9-]+)\]$", re.MULTILINE)


@pytest.mark.parametrize("rule", catalogue(), ids=lambda rule: rule.name)
def test_a_rule_says_what_it_demands_in_one_line(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*\.", rule.demand)
    assert (rule.check_elements is None) != (rule.check_document is None)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in rule.codes)


def test_every_code_belongs_to_one_rule() -> None:
    codes = [code for rule in catalogue() for code in rule.codes]
    assert sorted(codes) == sorted(set(codes))


def test_every_code_has_a_bad_model() -> None:
    shown = {code for path in BAD.glob("*.expected") for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert {code for rule in catalogue() for code in rule.codes} <= shown
