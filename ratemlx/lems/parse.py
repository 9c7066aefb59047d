"""A model file to a `Document`: read, check the elements, build, check the document; all faults in one error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.lems import limits
from ratemlx.lems.build import build_document
from ratemlx.lems.document import Document
from ratemlx.lems.encoding import check_characters, decode
from ratemlx.lems.notes import Notes
from ratemlx.lems.rules import check_document, check_elements
from ratemlx.lems.vocabulary import corrected
from ratemlx.lems.xml import read_elements
from ratemlx.source import SourceText


def parse_file(path: Path) -> Document:
    """The document in a model file; ModelError with all faults if it has any, or cannot be read."""
    name = str(path)
    try:
        if not path.is_file():
            hint = None if path.suffix == ".xml" else "model files end in .xml"
            raise ModelError([Diagnostic("no-such-file", f"there is no file {name}", hint=hint)])
        with path.open("rb") as file:
            data = file.read(limits.FILE_BYTES + 1)
    except OSError as error:
        raise ModelError([Diagnostic("unreadable-file", f"{name} cannot be read: {error.strerror}")]) from error
    return parse_text(data, name)


def parse_text(text: str | bytes, name: str) -> Document:
    """The document in a text or in the bytes of a file; `name` is how messages call it."""
    source = decode(text, name) if isinstance(text, bytes) else check_characters(SourceText(name, text))
    return _parse(source)


def _parse(source: SourceText) -> Document:
    root = read_elements(source)
    notes = Notes()
    faults = list(islice(check_elements(root), limits.FAULTS))
    if len(faults) < limits.FAULTS:
        document = build_document(corrected(root), notes)
        faults += notes.errors[: limits.FAULTS]
        faults += islice(check_document(document), limits.FAULTS)
        if not faults:
            return replace(document, warnings=_in_order(notes.warnings))
    if len(faults) >= limits.FAULTS:
        faults.append(Diagnostic("too-many-faults", "the file has so many faults that not all are listed"))
    raise ModelError(_in_order(faults))


def _in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics by place, each once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda item: item.span.start if item.span else -1))
