"""Changes to the text of a model file that leave everything else as it stands: layout, comments, quotes.

Knows elements and attributes by their places, and nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Iterable

from ratemlx.lems.element import Attribute, Element
from ratemlx.source import SourceText

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_QUOTES = {'"': "&quot;", "'": "&apos;"}
_INDENT = "    "


class Edits:
    """Collects changes to one file; `apply` gives the new text. What is removed takes changes within it along;
    of two changes of the same thing the later holds.
    """

    def __init__(self, source: SourceText) -> None:
        self._source = source.text
        self._texts: dict[tuple[int, int], str] = {}
        """What the characters [start, end) of the file become."""

    def rename(self, attribute: Attribute, name: str) -> None:
        """Give an attribute another name."""
        span = attribute.name.span
        assert span is not None
        self._texts[span.start, span.end] = name

    def set_value(self, attribute: Attribute, value: str) -> None:
        """Give an attribute another value; one that has it already keeps how it is written."""
        span = attribute.value.span
        assert span is not None
        if value != attribute.value.value:
            self._texts[span.start, span.end] = _escaped(value, self._source[span.end])

    def add_attribute(self, element: Element, name: str, value: str) -> None:
        """Put an attribute behind the element's last one, or behind its tag."""
        place = self._end_of(element.attributes[-1]) if element.attributes else _end_of_tag(element)
        self._insert(place, f" {name}={_quoted(value)}")

    def put_first(self, element: Element, name: str, value: str) -> None:
        """Put an attribute before all others."""
        place = _end_of_tag(element)
        self._insert(place, f" {name}={_quoted(value)}")

    def remove_attribute(self, attribute: Attribute) -> None:
        """Remove an attribute with the white space before it."""
        assert attribute.name.span is not None
        start = attribute.name.span.start
        start = len(self._source[:start].rstrip())
        self._texts[start, self._end_of(attribute)] = ""

    def replace(self, element: Element, tag: str) -> None:
        """Put an empty element, written out by `start_tag`, in the place of one."""
        self._texts[_extent(element)] = tag

    def remove(self, element: Element) -> None:
        """Remove an element, and its line where nothing else is on it."""
        start, end = _extent(element)
        before = self._source.rfind("\n", 0, start) + 1
        after = self._source.find("\n", end)
        after = len(self._source) if after < 0 else after + 1
        if not self._source[before:start].strip() and not self._source[end:after].strip():
            start, end = before, after
        self._texts[start, end] = ""

    def fill(self, element: Element, tags: Iterable[str]) -> None:
        """Put elements, written out by `start_tag`, into one that has none; one on each line."""
        margin = self._margin(element)
        lines = "".join(f"\n{margin}{_INDENT}{tag}" for tag in tags)
        if element.end_tag is None:
            start = len(self._source[: element.span.end - len("/>")].rstrip())
            self._texts[start, element.span.end] = f">{lines}\n{margin}</{element.tag}>"
        else:
            self._insert(element.span.end, lines)

    def apply(self) -> str:
        """The text with all changes."""
        pieces: list[str] = []
        position = 0
        for (start, end), text in sorted(self._texts.items()):
            if start >= position:
                pieces += (self._source[position:start], text)
                position = end
        return "".join([*pieces, self._source[position:]])

    def _insert(self, place: int, text: str) -> None:
        self._texts[place, place] = self._texts.get((place, place), "") + text

    def _end_of(self, attribute: Attribute) -> int:
        assert attribute.value.span is not None
        return attribute.value.span.end + 1

    def _margin(self, element: Element) -> str:
        """The white space before an element on its line."""
        line = self._source[self._source.rfind("\n", 0, element.span.start) + 1 : element.span.start]
        return line[: len(line) - len(line.lstrip())]


def start_tag(tag: str, **attributes: str) -> str:
    """An empty element, written out."""
    return f"<{tag}" + "".join(f" {name}={_quoted(value)}" for name, value in attributes.items()) + "/>"


def _extent(element: Element) -> tuple[int, int]:
    return element.span.start, (element.end_tag or element.span).end


def _end_of_tag(element: Element) -> int:
    assert element.tag.span is not None
    return element.tag.span.end


def _quoted(value: str) -> str:
    return f'"{_escaped(value, chr(34))}"'


def _escaped(value: str, quote: str) -> str:
    return "".join(_ESCAPES.get(char) or (_QUOTES[quote] if char == quote else char) for char in value)
