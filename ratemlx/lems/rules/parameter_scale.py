"""The scale of a parameter is linear or log."""

from __future__ import annotations

from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import did_you_mean, quote

CODES = ("parameter-scale",)

_SCALES = ("linear", "log")


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every parameter that states a scale."""
    for parameter in document.parameters:
        scale = parameter.scale
        if scale is not None and scale.value not in _SCALES:
            message = f"there is no scale {quote(scale.value)}"
            yield Diagnostic("parameter-scale", message, scale.span, did_you_mean(scale.value, _SCALES))
