"""The ways in which a file is not the XML that is accepted: one function per fault, each a complete message."""

from __future__ import annotations

from typing import NoReturn

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.lems import limits
from ratemlx.lems.quoting import quote
from ratemlx.source import Span


def refuse(code: str, message: str, span: Span, hint: str | None = None) -> NoReturn:
    """Stop reading the file."""
    raise ModelError([Diagnostic(code, message, span, hint)])


def doctype(span: Span) -> NoReturn:
    """A DOCTYPE, the door to every attack by entities."""
    refuse("doctype", "a DOCTYPE is not accepted", span, "delete it: a model file needs no DTD and no entities")


def instruction(span: Span) -> NoReturn:
    """A processing instruction other than the declaration and an editor's `xml-model`."""
    refuse("instruction", "processing instructions are not accepted", span, "delete it; nothing here would follow it")


def reference(span: Span) -> NoReturn:
    """An ampersand that begins none of XML's own escapes."""
    if span.text.startswith("&#"):
        refuse("malformed", f"{quote(span.text)} is no character of XML", span, "write the character itself")
    if span.text.endswith(";"):
        hint = "XML knows &lt; &gt; &amp; &quot; &apos; and character numbers only"
        refuse("entity", f"the entity {quote(span.text)} is not known", span, hint)
    refuse("malformed", 'a bare "&" is not allowed in XML', span, "write &amp; for the character &")


def hyphens_in_comment(span: Span) -> NoReturn:
    """Two hyphens within a comment, which XML keeps for its end."""
    refuse("malformed", "two hyphens are not allowed within a comment", span, "write a single hyphen")


def less_than_in_value(span: Span) -> NoReturn:
    """A `<` within an attribute's value."""
    refuse("malformed", 'a "<" is not allowed in an attribute\'s value', span, "write &lt; for <, and &lt;= for <=")


def too_deep(span: Span) -> NoReturn:
    """Elements nested beyond the limit."""
    refuse("too-deep", f"elements are nested more than {limits.DEPTH} deep", span)


def too_many_elements(span: Span) -> NoReturn:
    """More elements than the limit."""
    refuse("too-many-elements", f"more than {limits.ELEMENTS:,} elements", span)


def too_many_attributes(span: Span) -> NoReturn:
    """More attributes on one element than the limit."""
    refuse("too-many-attributes", f"more than {limits.ATTRIBUTES_OF_ELEMENT} attributes on one element", span)


def too_many_attributes_of_file(span: Span) -> NoReturn:
    """More attributes in the file than the limit."""
    refuse("too-many-attributes", f"more than {limits.ATTRIBUTES:,} attributes in one file", span)


def value_too_long(span: Span) -> NoReturn:
    """An attribute or a text longer than the limit."""
    length = span.end - span.start
    refuse("value-too-long", f"a value of {length:,} characters; at most {limits.ATTRIBUTE_LENGTH:,} are read", span)


def unclosed(what: str, end: str, span: Span) -> NoReturn:
    """Something that begins and never ends."""
    refuse("malformed", f"this {what} has no end", span, f"it ends with {end}")


def wrong_end_tag(found: Span, name: str, opened: str, line: int) -> NoReturn:
    """An end tag that does not belong to the innermost open element."""
    message = f"the end tag </{name}> does not close <{opened}> of line {line}"
    refuse("malformed", message, found, f"write </{opened}>, or close <{opened}> earlier with />")


def end_tag_without_start(span: Span) -> NoReturn:
    """An end tag where nothing is open."""
    refuse("malformed", "an end tag with nothing to close", span)


def attribute_expected(span: Span) -> NoReturn:
    """Something within a tag that is not name="value"."""
    refuse("malformed", "this is not an attribute", span, 'attributes are written name="value", with a space between')


def repeated_attribute(span: Span) -> NoReturn:
    """The same attribute twice on one element."""
    refuse("malformed", f"the attribute {quote(span.text)} is given twice", span)


def outside_root(span: Span) -> NoReturn:
    """Text or a second element outside the root element."""
    refuse("malformed", "nothing but one root element is allowed in a file", span)


def no_root(span: Span) -> NoReturn:
    """A file without any element."""
    refuse("malformed", "the file has no element", span, "a model file begins with <Lems>")


def rejected(span: Span, reason: str) -> NoReturn:
    """A fault that only the XML library saw."""
    refuse("malformed", f"not well-formed XML: {reason}", span)
