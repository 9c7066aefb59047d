"""Lengths of modules and functions; `python -m tests.house.sizes` prints them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from statistics import median

from tests.house.sources import modules


def module_lengths() -> dict[str, int]:
    """Lines of each module that is not empty."""
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    return {name: length for name, length in lengths.items() if length}


def function_lengths() -> dict[str, int]:
    """Lines of each function's and method's body, docstring included, without the signature."""
    return dict(_functions())


def _functions() -> Iterator[tuple[str, int]]:
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{name}.{node.name}:{node.lineno}", _last_line(node) - node.body[0].lineno + 1


def _last_line(node: ast.FunctionDef) -> int:
    return node.end_lineno or node.lineno


def report() -> str:
    """Median and largest of both, one line each."""
    return "\n".join(
        _line(kind, lengths) for kind, lengths in (("module", module_lengths()), ("function", function_lengths()))
    )


def _line(kind: str, lengths: dict[str, int]) -> str:
    largest = max(lengths, key=lambda name: lengths[name])
    middle = median(lengths.values())
    return f"{len(lengths)} {kind}s: median {middle:g} lines, largest {lengths[largest]} lines ({largest})"


if __name__ == "__main__":
    print(report())
