"""The XML of a model file as it was written: elements, attributes and stray text, each with its place.

Knows XML's shape and nothing of what an element means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ratemlx.source import Span, Text


@dataclass(frozen=True)
class Attribute:
    """An attribute; the value is unescaped, its span is what stands between the quotes."""

    name: Text
    value: Text


@dataclass(frozen=True)
class Element:
    """An element; `span` is its start tag, `texts` what stands between its children, white space left out.

    `end_tag` is None where the start tag ends with `/>`.
    """

    tag: Text
    attributes: tuple[Attribute, ...]
    children: tuple[Element, ...]
    texts: tuple[Text, ...]
    span: Span
    end_tag: Span | None = None

    def get(self, *names: str) -> Text | None:
        """The value of the first of these attributes that is there."""
        for name in names:
            for attribute in self.attributes:
                if attribute.name.value == name:
                    return attribute.value
        return None

    def all(self, *tags: str) -> tuple[Element, ...]:
        """The children with one of these tags, in the order of the file."""
        return tuple(child for child in self.children if child.tag.value in tags)

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()
