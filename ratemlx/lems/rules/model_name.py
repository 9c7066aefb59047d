"""A model's name is an identifier, as it becomes the name of files, functions and folders."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems import limits, words
from ratemlx.lems.build import model_name
from ratemlx.lems.element import Element
from ratemlx.lems.quoting import quote

CODES = ("model-name",)

HINT = "use letters, digits and underscores, such as my_model"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ON_WINDOWS = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)


def check_elements(root: Element) -> Iterator[Diagnostic]:
    """Look at the name that the file states, else at the file's own."""
    if root.tag.value != "Lems":
        return
    stated = root.get("name")
    name = model_name(root)
    if reason := name_fault(name):
        hint = HINT
        if stated is None:
            hint = 'the name is that of the file; state another: <Lems name="my_model">'
        message = refusal(name, reason)
        yield Diagnostic("model-name", message, stated.span if stated else root.span, hint)


def refusal(name: str, reason: str) -> str:
    """What to say of a name that cannot be a model's."""
    return f"{quote(name)} cannot be the name of a model: {reason}"


def name_fault(name: str) -> str | None:
    """Why this cannot be the name of a model, or None if it can."""
    if not _NAME.fullmatch(name):
        return "only letters, digits and underscores are allowed, a letter first"
    if len(name) > limits.NAME_LENGTH:
        return f"it is longer than {limits.NAME_LENGTH} characters"
    if languages := words.keyword_of(name):
        return f"it is a keyword of {languages}"
    return "some systems have no file of this name" if _ON_WINDOWS.fullmatch(name) else None
