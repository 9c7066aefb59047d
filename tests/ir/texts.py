"""Expressions and models from text, for tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.errors import ModelError
from ratemlx.ir.build import build_model
from ratemlx.ir.expr import parse_expression
from ratemlx.ir.model import Model
from ratemlx.ir.nodes import Node
from ratemlx.lems import parse_text
from ratemlx.source import SourceText, Span, Text
from ratemlx.transfer.registry import TransferRegistry, builtin_registry


def text(value: str) -> Text:
    """A text with its place in a source of its own."""
    return Text(value, Span(SourceText("m.xml", value), 0, len(value)))


def parse(value: str) -> Node:
    """The tree of an expression."""
    return parse_expression(text(value))


def fault(value: str) -> tuple[str, str, str | None]:
    """Message, marked characters and hint of the one fault of an expression."""
    with pytest.raises(ModelError) as caught:
        parse(value)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span is not None
    return diagnostic.message, diagnostic.span.text, diagnostic.hint


def model_text(
    quantities: str = "",
    *,
    state: str = '<StateVariable name="x" initial="0.5"/>',
    dynamics: str = '<TimeDerivative variable="x" value="-x"/>',
    components: str = "",
) -> str:
    """A small model file, one element a line where it is given so."""
    return (
        f'<Lems name="small" delays="false">\n<ComponentType name="derivatives">\n{quantities}\n'
        f'<Exposure name="x" value="x"/>\n<Dynamics>\n{state}\n{dynamics}\n</Dynamics>\n</ComponentType>\n'
        f"{components}\n</Lems>\n"
    )


def build(xml: str, registry: TransferRegistry | None = None, folder: Path | None = None) -> Model:
    """The model of a file's text."""
    name = str(folder / "small.xml") if folder else "small.xml"
    return build_model(parse_text(xml, name), registry or builtin_registry())


def faults(xml: str) -> list[tuple[str, str, str | None]]:
    """Message, marked characters and hint of every fault of a model."""
    with pytest.raises(ModelError) as caught:
        build(xml)
    return [(item.message, item.span.text if item.span else "", item.hint) for item in caught.value.diagnostics]
