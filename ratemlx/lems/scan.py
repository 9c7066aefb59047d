"""A text to elements with exact places, which XML libraries do not keep.

Reads the small part of XML that model files need, refuses the rest, and holds every limit while reading.
It does not decide alone what is well-formed: `xml` lets lxml read the same text and compares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from ratemlx.lems import faults, limits
from ratemlx.lems.element import Attribute, Element
from ratemlx.lems.escapes import unescape
from ratemlx.source import SourceText, Span, Text

_NAME = r"""[^\s/>="'<&!?]+"""
_TAG_NAME = re.compile(_NAME)
_ATTRIBUTE = re.compile(rf"""\s+({_NAME})\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_END = re.compile(r"\s*(/?)>")
_END_TAG = re.compile(rf"</({_NAME})\s*>")
_HARMLESS_INSTRUCTION = re.compile(r"<\?xml-model\s")
_VISIBLE = re.compile(r"\S(?:.*\S)?", re.DOTALL)
_WORD = re.compile(r"[^\s<>]+")


@dataclass
class _Open:
    """An element whose end tag has not been read."""

    tag: Text
    attributes: tuple[Attribute, ...]
    span: Span
    children: list[Element] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def close(self, end_tag: Span | None) -> Element:
        return Element(self.tag, self.attributes, tuple(self.children), tuple(self.texts), self.span, end_tag)


def scan(source: SourceText) -> Element:
    """The root element of a text; ModelError at the first fault or limit."""
    return _Scanner(source).scan()


class _Scanner:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.position = 0
        self.open: list[_Open] = []
        self.root: Element | None = None
        self.element_count = 0
        self.attribute_count = 0

    def scan(self) -> Element:
        while (start := self.text.find("<", self.position)) >= 0:
            self._characters(start)
            self.position = start
            self._markup()
        self._characters(len(self.text))
        if self.open:
            innermost = self.open[-1]
            faults.unclosed(f"<{innermost.tag}>", f"</{innermost.tag}> or />", innermost.span)
        if self.root is None:
            faults.no_root(self._span(0, 0))
        return self.root

    def _span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def _markup(self) -> None:
        """Read what begins with the `<` at the current position."""
        text, start = self.text, self.position
        if text.startswith("<!--", start):
            self._comment()
        elif text.startswith("<![CDATA[", start):
            end = self._skip("CDATA section", "]]>", 9)
            self._text(start, end)
        elif text.startswith("<!", start):
            end = text.find(">", start)
            faults.doctype(self._span(start, end + 1 if end >= 0 else len(text)))
        elif text.startswith("<?", start):
            end = self._skip("instruction", "?>", 2)
            declaration = start == 0 and text.startswith("<?xml ", start)
            if not declaration and not _HARMLESS_INSTRUCTION.match(text, start):
                faults.instruction(self._span(start, end))
        elif text.startswith("</", start):
            self._end_tag()
        else:
            self._start_tag()

    def _comment(self) -> None:
        start = self.position + 4
        end = self._skip("comment", "-->", 4) - 3
        hyphens = self.text.find("--", start, end + 1)
        if hyphens >= 0:
            faults.hyphens_in_comment(self._span(hyphens, hyphens + 2))

    def _skip(self, what: str, end: str, begin_length: int) -> int:
        """Move past `end` and give its offset."""
        found = self.text.find(end, self.position + begin_length)
        if found < 0:
            faults.unclosed(what, end, self._span(self.position, self.position + begin_length))
        self.position = found + len(end)
        return self.position

    def _characters(self, end: int) -> None:
        """Take the characters from the current position to `end` as text."""
        if visible := _VISIBLE.search(self.text, self.position, end):
            self._text(visible.start(), visible.end())

    def _text(self, start: int, end: int) -> None:
        span = self._span(start, end)
        if not self.open:
            faults.outside_root(span)
        if end - start > limits.ATTRIBUTE_LENGTH:
            faults.value_too_long(span)
        self.open[-1].texts.append(Text(span.text, span) if span.text.startswith("<!") else unescape(span))

    def _start_tag(self) -> None:
        start = self.position
        name = _TAG_NAME.match(self.text, start + 1)
        if name is None:
            faults.refuse("malformed", 'a "<" that begins no tag', self._span(start, start + 1), "write &lt; for <")
        if self.root is not None:
            faults.outside_root(self._span(start, name.end()))
        self.element_count += 1
        if self.element_count > limits.ELEMENTS:
            faults.too_many_elements(self._span(start, name.end()))
        if len(self.open) >= limits.DEPTH:
            faults.too_deep(self._span(start, name.end()))
        attributes = self._attributes(name.end())
        end = _TAG_END.match(self.text, self.position)
        if end is None:
            self._broken_tag(start)
        self.position = end.end()
        tag = Text(name[0], self._span(*name.span()))
        self.open.append(_Open(tag, attributes, self._span(start, end.end())))
        if end[1]:
            self._close()

    def _broken_tag(self, start: int) -> NoReturn:
        """Say what is wrong where neither an attribute nor the tag's end follows."""
        visible = _WORD.search(self.text, self.position)
        end = self.text.find(">", self.position)
        if visible is None or end < 0 or visible.start() > end:
            faults.unclosed("tag", "> or />", self._span(start, self.position))
        faults.attribute_expected(self._span(*visible.span()))

    def _attributes(self, position: int) -> tuple[Attribute, ...]:
        attributes: dict[str, Attribute] = {}
        while match := _ATTRIBUTE.match(self.text, position):
            position = match.end()
            name = Text(match[1], self._span(*match.span(1)))
            value = self._span(*match.span(2 if match[2] is not None else 3))
            if name.value in attributes:
                faults.repeated_attribute(self._span(*match.span(1)))
            if value.end - value.start > limits.ATTRIBUTE_LENGTH:
                faults.value_too_long(value)
            if "<" in value.text:
                less = value.text.index("<")
                faults.less_than_in_value(value.within(less, less + 1))
            attributes[name.value] = Attribute(name, unescape(value))
            self.attribute_count += 1
            if len(attributes) > limits.ATTRIBUTES_OF_ELEMENT:
                faults.too_many_attributes(self._span(*match.span(1)))
            if self.attribute_count > limits.ATTRIBUTES:
                faults.too_many_attributes_of_file(self._span(*match.span(1)))
        self.position = position
        return tuple(attributes.values())

    def _end_tag(self) -> None:
        match = _END_TAG.match(self.text, self.position)
        if match is None:
            faults.unclosed("end tag", ">", self._span(self.position, self.position + 2))
        if not self.open:
            faults.end_tag_without_start(self._span(*match.span()))
        innermost = self.open[-1]
        if match[1] != innermost.tag.value:
            faults.wrong_end_tag(self._span(*match.span()), match[1], innermost.tag.value, innermost.span.line)
        self.position = match.end()
        self._close(self._span(*match.span()))

    def _close(self, end_tag: Span | None = None) -> None:
        element = self.open.pop().close(end_tag)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
