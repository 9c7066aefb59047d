"""The rules of the model language, one per module, found by walking this package.

A rule's module has a one-line docstring that says what it demands, the stable `CODES` of its diagnostics, and either
`check_elements(root)` for what the XML says or `check_document(document)` for what the document says. A new rule is
a new module; nothing else is edited.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document
from ratemlx.lems.element import Element


@dataclass(frozen=True)
class Rule:
    """One rule: its name, the codes of its diagnostics, what it demands, and its check (one of the two)."""

    name: str
    codes: tuple[str, ...]
    demand: str
    check_elements: Callable[[Element], Iterable[Diagnostic]] | None
    check_document: Callable[[Document], Iterable[Diagnostic]] | None


@cache
def catalogue() -> tuple[Rule, ...]:
    """All rules, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(_rule(name) for name in names)


def _rule(name: str) -> Rule:
    module = import_module(f"{__name__}.{name}")
    return Rule(
        name=name,
        codes=module.CODES,
        demand=(module.__doc__ or "").strip(),
        check_elements=getattr(module, "check_elements", None),
        check_document=getattr(module, "check_document", None),
    )


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """What all rules find in the XML."""
    for rule in catalogue():
        if rule.check_elements is not None:
            yield from rule.check_elements(root)


def check_document(document: Document) -> Iterator[Diagnostic]:
    """What all rules find in the document."""
    for rule in catalogue():
        if rule.check_document is not None:
            yield from rule.check_document(document)
