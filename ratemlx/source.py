"""Source texts and places in them: what every diagnostic points at.

Knows nothing of XML, of models or of how a message is printed.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, eq=False)
class SourceText:
    """A text that was read, with the name under which messages quote it."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which each line begins."""
        return (0, *(index + 1 for index, char in enumerate(self.text) if char == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset) - 1
        return line + 1, offset - self.line_starts[line] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else None].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """A half-open range of characters, [start, end), of a source text."""

    source: SourceText
    start: int
    end: int

    @property
    def line(self) -> int:
        """Line of the first character, counted from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Column of the first character, counted from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def within(self, start: int, end: int) -> Span:
        """The part of this span from `start` to `end`, counted from its own beginning."""
        return Span(self.source, self.start + start, self.start + max(end, start))


@dataclass(frozen=True)
class Text:
    """A piece of text taken from a file, such as an attribute's value, with its place.

    Where escapes (`&lt;`) make the raw text longer than the value, `offsets` gives for each character of the
    value, and for its end, where the raw text has it, counted from the span's beginning.
    """

    value: str
    span: Span | None = None
    offsets: tuple[int, ...] | None = field(default=None, repr=False, compare=False)

    def place(self, start: int, end: int) -> Span | None:
        """Where the characters [start, end) of the value stand in the file; None if the text has no place."""
        if self.span is None:
            return None
        if self.offsets is None:
            return self.span.within(start, end)
        last = len(self.offsets) - 1
        return self.span.within(self.offsets[min(start, last)], self.offsets[min(end, last)])

    def part(self, start: int, end: int) -> Text:
        """The characters [start, end) of the value as a text of their own, with its place."""
        offsets = self.offsets
        if offsets is not None:
            offsets = tuple(offset - offsets[start] for offset in offsets[start : end + 1])
        return Text(self.value[start:end], self.place(start, end), offsets)

    def stripped(self) -> Text:
        """The text without white space at its ends."""
        start = len(self.value) - len(self.value.lstrip())
        return self.part(start, max(start, len(self.value.rstrip())))

    def __str__(self) -> str:
        return self.value
