"""A transfer function is used by name, each argument bound once, with coefficients from a file beside the model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document, TransferFunctionNode
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import all_transfer_functions
from ratemlx.source import Text

CODES = ("plugin-name", "repeated-binding", "coefficients-file")

_PLUGIN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*\.json")


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every use of a transfer function."""
    for use in all_transfer_functions(document):
        if not _PLUGIN.fullmatch(use.plugin.value):
            message = f"{quote(use.plugin.value)} cannot be the name of a transfer function"
            hint = "a plugin is named, not located: files are given to the program with --plugin"
            yield Diagnostic("plugin-name", message, use.plugin.span, hint)
        if use.coefficients_file is not None:
            yield from _file(use.coefficients_file)
        yield from _bindings(use)


def may_be_read(path: str) -> bool:
    """Whether a path leads to a .json file in the model's folder or below it; nobody opens one that does not."""
    return _FILE.fullmatch(path) is not None


def _file(path: Text) -> Iterator[Diagnostic]:
    if not may_be_read(path.value):
        message = f"{quote(path.value)} cannot be a file of coefficients"
        hint = "write the name of a .json file in the model's folder, or in a folder below it"
        yield Diagnostic("coefficients-file", message, path.span, hint)


def _bindings(use: TransferFunctionNode) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for binding in use.bindings:
        name = binding.name
        if name.value in seen:
            yield Diagnostic(
                "repeated-binding", f"{quote(name.value)} is bound twice", name.span, "delete one of the two"
            )
        seen.add(name.value)
