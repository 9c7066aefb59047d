"""Bytes of a model file to characters, in the few encodings that are accepted.

Which encodings an XML parser would accept depends on its build; here the list is closed, so that no text is
read differently by two programs (UTF-7 hides tags from whoever looks at the file).
"""

from __future__ import annotations

import re

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.lems import limits
from ratemlx.lems.quoting import quote
from ratemlx.source import SourceText, Span

_UNSUPPORTED_MARKS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"+/v")
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([^"'>]{0,100})["']""")
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HINT = "save the file as UTF-8"


def decode(data: bytes, name: str) -> SourceText:
    """The text of a model file; ModelError if it is too large, not text, or in an encoding that is not accepted."""
    if len(data) > limits.FILE_BYTES:
        raise _too_large(name)
    encoding, mark = _encoding(data, name)
    try:
        source = SourceText(name, data[mark:].decode(encoding))
    except UnicodeDecodeError as error:
        readable = SourceText(name, data[mark:].decode(encoding, errors="replace"))
        start = len(data[mark : mark + error.start].decode(encoding, errors="replace"))
        place = Span(readable, start, start + 1)
        raise _refusal("encoding", f"this is not {encoding.upper()} text", place, _HINT) from None
    return check_characters(source)


def check_characters(source: SourceText) -> SourceText:
    """The text itself; ModelError if it is too large or has characters that XML does not allow."""
    if len(source.text) > limits.FILE_BYTES:
        raise _too_large(source.name)
    if bad := _NOT_XML.search(source.text):
        place = Span(source, bad.start(), bad.end())
        hint = _HINT if bad[0] == "\0" else "delete it"
        raise _refusal("character", f"the character U+{ord(bad[0]):04X} is not allowed in XML", place, hint)
    return source


def _encoding(data: bytes, name: str) -> tuple[str, int]:
    """The encoding, and how many bytes of a byte order mark come first."""
    if data.startswith(_UNSUPPORTED_MARKS):
        raise _refusal("encoding", f"{name} is in UTF-32 or UTF-7, which are not accepted", hint=_HINT)
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding, len(mark)
    declared = _DECLARED.match(data)
    if declared is None:
        return "utf-8", 0
    label = declared[1].decode("latin-1")
    if label.lower() not in _ENCODINGS:
        source = SourceText(name, data[: declared.end()].decode("latin-1") + "?>")
        raise _refusal(
            "encoding", f"the encoding {quote(label)} is not accepted", Span(source, *declared.span(1)), _HINT
        )
    return _ENCODINGS[label.lower()], 0


def _too_large(name: str) -> ModelError:
    return _refusal(
        "file-too-large",
        f"{name} is larger than {limits.FILE_BYTES // 1024**2} MiB",
        hint="a model file holds equations; keep data in files of their own",
    )


def _refusal(code: str, message: str, span: Span | None = None, hint: str | None = None) -> ModelError:
    return ModelError([Diagnostic(code, message, span, hint)])
