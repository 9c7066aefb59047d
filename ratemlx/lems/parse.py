"""A model file to a `Document`: read, check the elements, build, check the document; all faults in one error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Reading:
    """What a model file holds and what is wrong with it; there is no document where faults hide what was meant."""

    document: Document | None
    faults: tuple[Diagnostic, ...]


def parse_file(path: Path) -> Document:
    """The document in a model file; ModelError with all faults if it has any, or cannot be read."""
    return _sound(read_file(path))


def parse_text(text: str | bytes, name: str) -> Document:
    """The document in a text or in the bytes of a file; `name` is how messages call it."""
    return _sound(read_text(text, name))


def read_file(path: Path) -> Reading:
    """The document in a model file and its faults; ModelError where it cannot be read or is not XML."""
    name = str(path)
    try:
        if not path.is_file():
            hint = None if path.suffix == ".xml" else "model files end in .xml"
            raise ModelError([Diagnostic("no-such-file", f"there is no file {name}", hint=hint)])
        with path.open("rb") as file:
            data = file.read(limits.FILE_BYTES + 1)
    except OSError as error:
        raise ModelError([Diagnostic("unreadable-file", f"{name} cannot be read: {error.strerror}")]) from error
    return read_text(data, name)


def read_text(text: str | bytes, name: str) -> Reading:
    """The document in a text and its faults; ModelError where it is not XML."""
    source = decode(text, name) if isinstance(text, bytes) else check_characters(SourceText(name, text))
    root = read_elements(source)
    faults = list(islice(check_elements(root), limits.FAULTS))
    document = None
    if len(faults) < limits.FAULTS:
        notes = Notes()
        document = build_document(corrected(root), notes)
        faults += notes.errors[: limits.FAULTS]
        faults += islice(check_document(document), limits.FAULTS)
        document = replace(document, warnings=_in_order(notes.warnings))
    if len(faults) >= limits.FAULTS:
        document = None
        faults.append(Diagnostic("too-many-faults", "the file has so many faults that not all are listed"))
    return Reading(document, _in_order(faults))


def _sound(reading: Reading) -> Document:
    if reading.faults or reading.document is None:
        raise ModelError(reading.faults)
    return reading.document


def _in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics by place, each once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda item: item.span.start if item.span else -1))
