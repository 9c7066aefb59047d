"""The codes of all diagnostics of a model file, found in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ratemlx.lems.legacy import SPELLINGS
from ratemlx.lems.rules import catalogue
from tests.house.sources import modules

MAKERS = ("Diagnostic", "refuse", "_refusal", "error", "warning", "fail", "_error")
"""Functions that make a diagnostic; their codes are written as literals."""

CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def diagnostic_codes() -> set[str]:
    """Codes of rules, of RateML's spellings, and of every diagnostic that is made from a literal."""
    literal = {
        code
        for name, path in modules().items()
        if name.startswith(("ratemlx.lems", "ratemlx.ir"))
        for code in _literals(ast.parse(path.read_text(encoding="utf-8")))
    }
    return literal - {"warning"} | set(SPELLINGS) | {code for rule in catalogue() for code in rule.codes}


def _literals(tree: ast.Module) -> Iterator[str]:
    """Literals in the shape of a code among a maker's arguments, and defaults of parameters named `code`."""
    for node in ast.walk(tree):
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Call) and _called(node.func) in MAKERS:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.FunctionDef):
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            values = [value for name, value in zip(named, node.args.defaults, strict=True) if name.arg == "code"]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                yield value.value


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
