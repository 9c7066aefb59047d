"""Places of elements and values, against lxml's reading of the same text."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from hypothesis import given
from hypothesis import strategies as st

from ratemlx.lems.xml import read_elements
from ratemlx.source import SourceText

TEXT = """<?xml version="1.0"?>
<!-- <Fake a="1"/> -->
<Root  name = 'one'>
  <?xml-model href="ratemlx.xsd"?>
  <Child a="x &lt; 1 &amp;&#x41;" b="two
lines"/><Child a="&gt;"></Child>
  <![CDATA[ <Fake/> ]]>
</Root>
"""


def test_elements_are_found_with_their_places() -> None:
    root = read_elements(SourceText("a.xml", TEXT))
    assert [element.tag.value for element in root.walk()] == ["Root", "Child", "Child"]
    assert root.span.text == "<Root  name = 'one'>"
    assert root.children[1].span.text == '<Child a="&gt;">'
    assert [text.value for text in root.texts] == ["<![CDATA[ <Fake/> ]]>"]


def test_values_are_unescaped_and_placed() -> None:
    first, second = read_elements(SourceText("a.xml", TEXT)).children
    value = first.get("a")
    assert value is not None
    assert value.value == "x < 1 &A"
    assert [value.place(start, start + 1).text for start in (2, 4, 6, 7)] == ["&lt;", "1", "&amp;", "&#x41;"]
    assert first.get("b").value == "two lines"
    assert first.get("b").span.text == "two\nlines"
    assert second.get("a", "b").value == ">"


def test_line_ends_of_windows_are_one_character() -> None:
    root = read_elements(SourceText("a.xml", '<Root a="one\r\ntwo" b="&lt;\r\n\t3"/>'))
    assert [attribute.value.value for attribute in root.attributes] == ["one two", "<  3"]
    assert root.get("a").place(4, 7).text == "two"
    assert root.get("b").place(3, 4).text == "3"


characters = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))


@given(st.lists(st.text(characters | st.sampled_from("<>&\"'"), max_size=12), min_size=1, max_size=4))
def test_any_value_comes_back_and_every_character_has_its_place(values: list[str]) -> None:
    attributes = " ".join(f"a{index}={quoteattr(value)}" for index, value in enumerate(values))
    root = read_elements(SourceText("a.xml", f"<Root {attributes}/>"))
    assert [attribute.value.value for attribute in root.attributes] == values
    for attribute in root.attributes:
        text = attribute.value
        raw = "".join(text.place(index, index + 1).text for index in range(len(text.value)))
        assert raw == text.span.text
