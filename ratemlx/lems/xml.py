"""A text to elements, read twice: by lxml, which knows what XML is, and by `scan`, which keeps places.

lxml runs with everything switched off that reads other files, follows a network or expands entities.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from ratemlx.errors import InternalError
from ratemlx.lems import faults
from ratemlx.lems.element import Element
from ratemlx.lems.scan import scan
from ratemlx.source import SourceText, Span


def read_elements(source: SourceText) -> Element:
    """The root element; ModelError if the text is not the XML that is accepted."""
    root = scan(source)
    _compare(root, _lxml_root(source))
    return root


def _lxml_root(source: SourceText) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        attribute_defaults=False,
        dtd_validation=False,
        load_dtd=False,
        no_network=True,
        resolve_entities=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(source.text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        faults.rejected(_place(source, *error.position), error.msg.partition(", line ")[0])
    if root.getroottree().docinfo.internalDTD is not None:
        faults.doctype(Span(source, 0, 0))
    return root


def _place(source: SourceText, line: int, column: int) -> Span:
    """The place that lxml names, kept within the text."""
    line = min(max(line, 1), len(source.line_starts))
    start = source.line_starts[line - 1] + min(max(column - 1, 0), len(source.line(line)))
    return Span(source, start, start + 1)


def _compare(root: Element, other: etree._Element) -> None:
    """Make sure that both readers saw the same elements with the same attributes."""
    elements, others = tuple(root.walk()), tuple(other.iter(etree.Element))
    if len(elements) != len(others) or not all(map(_same, elements, others)):
        raise InternalError(f"two readers see different XML in {root.span.source.name}")


def _same(element: Element, other: etree._Element) -> bool:
    attributes = sorted((etree.QName(name).localname, value) for name, value in other.attrib.items())
    return (
        element.tag.value.rpartition(":")[2] == etree.QName(other).localname
        and sorted(_plain_attributes(element)) == attributes
    )


def _plain_attributes(element: Element) -> Iterator[tuple[str, str]]:
    """The attributes, by local name, that are not declarations of namespaces."""
    for attribute in element.attributes:
        prefix, _, local = attribute.name.value.rpartition(":")
        if prefix != "xmlns" and local != "xmlns":
            yield local, attribute.value.value
