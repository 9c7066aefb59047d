"""Characters that deceive readers: letters that look like ASCII letters, and marks that hide or reorder text."""

from __future__ import annotations

import re
import unicodedata

_TWINS = dict(
    zip(
        # Cyrillic, then Greek: the letters that common fonts draw like Latin ones.
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d"
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u0131",
        "aeopcyxijsdqw" + "ABEKMHOPCTXIJS" + "ABEZHIKMNOPTYXoi",
        strict=True,
    )
)

_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u115f\u1160\u180e\u200b\u2028\u2029\u2060-\u2064\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_HIDDEN = re.compile(f"[{_BIDIRECTIONAL}{_INVISIBLE}{_CONTROL}]")
_REORDERS = re.compile(f"[{_BIDIRECTIONAL}]")


def look_alike(char: str) -> str | None:
    """The ASCII character that this one looks like, if there is one."""
    if char in _TWINS:
        return _TWINS[char]
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 and plain.isascii() and plain.isalnum() else None


def spell_in_ascii(char: str) -> str:
    """A character of decomposed text in ASCII: Greek letters by name, no accents; what has no spelling stays."""
    official = unicodedata.name(char, "")
    if official.startswith("GREEK SMALL LETTER"):
        return official.split()[-1].lower()
    return "" if unicodedata.combining(char) else "ss" if char == "\u00df" else char


def describe_character(char: str) -> str:
    """A character by number and official name: `U+0415 (cyrillic capital letter ie)`."""
    name = unicodedata.name(char, "control character").lower()
    return f"U+{ord(char):04X} ({name})"


def find_hidden(text: str) -> re.Match[str] | None:
    """The first character that is invisible, or that changes the order in which text is shown."""
    return _HIDDEN.search(text)


def reorders_text(char: str) -> bool:
    """Whether the character changes the order in which text is shown."""
    return _REORDERS.match(char) is not None
