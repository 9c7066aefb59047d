"""Places in a text, also where XML escapes make the raw text longer than the value."""

from ratemlx.source import SourceText, Span, Text

SOURCE = SourceText("a.xml", '<A b="x &lt; 1"/>\n')
VALUE = Text("x < 1", Span(SOURCE, 6, 14), (0, 1, 2, 6, 7, 8))


def test_a_place_in_an_escaped_value_counts_raw_characters() -> None:
    assert VALUE.place(2, 3) == Span(SOURCE, 8, 12)
    assert VALUE.place(4, 5) == Span(SOURCE, 13, 14)
    assert VALUE.place(5, 6) == Span(SOURCE, 14, 14)


def test_a_part_keeps_its_place() -> None:
    part = VALUE.part(2, 5)
    assert (part.value, part.span) == ("< 1", Span(SOURCE, 8, 14))
    assert part.place(2, 3) == Span(SOURCE, 13, 14)


def test_white_space_is_stripped_with_its_place() -> None:
    text = Text("  ab ", Span(SOURCE, 2, 7))
    assert text.stripped() == Text("ab", Span(SOURCE, 4, 6))
    assert Text("   ", Span(SOURCE, 2, 5)).stripped().value == ""


def test_a_text_without_a_place_has_none() -> None:
    assert Text("abc").place(0, 1) is None
    assert Text("abc").part(1, 2) == Text("b")
