"""Names are letters, digits and underscores of ASCII, not a digit first, and not too long."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ratemlx.errors import Diagnostic
from ratemlx.lems import limits
from ratemlx.lems.characters import describe_character, find_hidden, look_alike, spell_in_ascii
from ratemlx.lems.document import Document
from ratemlx.lems.quoting import quote
from ratemlx.lems.texts import Declaration, declarations

CODES = ("name-syntax", "name-placeholder", "name-characters", "name-length")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\[.*\]")


def check_document(document: Document) -> Iterator[Diagnostic]:
    """Look at every declared name; what hides in one is the business of `hidden_characters`."""
    for declaration in declarations(document):
        name = declaration.name.value
        if find_hidden(name):
            continue
        if not name.isascii():
            yield _not_ascii(declaration)
        elif _PLACEHOLDER.fullmatch(name):
            message = f"{quote(name)} is a placeholder"
            yield Diagnostic(
                "name-placeholder", message, declaration.name.span, "write a name of your own in its place"
            )
        elif name and not _NAME.fullmatch(name):
            message = f"{quote(name)} cannot be the name of a {declaration.what}"
            hint = "use letters, digits and underscores, and begin with a letter"
            yield Diagnostic("name-syntax", message, declaration.name.span, hint)
        elif len(name) > limits.NAME_LENGTH:
            message = f"a name of {len(name)} characters; at most {limits.NAME_LENGTH} are allowed"
            yield Diagnostic("name-length", message, declaration.name.span)


def _not_ascii(declaration: Declaration) -> Diagnostic:
    name = declaration.name
    index = next(index for index, char in enumerate(name.value) if not char.isascii())
    char = name.value[index]
    message = f"the name {quote(name.value)} has {describe_character(char)}"
    if twin := look_alike(char):
        message += f", which looks like the letter {twin}"
        hint = f"write it with the letter {twin} of your keyboard"
    else:
        hint = _in_ascii(name.value)
    return Diagnostic("name-characters", message, name.place(index, index + 1), hint)


def _in_ascii(name: str) -> str:
    """What to write instead."""
    written = "".join(map(spell_in_ascii, unicodedata.normalize("NFKD", name)))
    return f"write {quote(written)}" if _NAME.fullmatch(written) else "use the letters a to z, digits and underscores"
