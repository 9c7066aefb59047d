"""Encodings that are accepted give one text; the refused ones are in tests/bad."""

from __future__ import annotations

import pytest

from ratemlx.lems.encoding import decode

TEXT = '<?xml version="1.0" encoding="{}"?>\n<Lems description="Montbrió"/>'


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("ISO-8859-1", "latin-1"),
        ("latin1", "latin-1"),
    ],
)
def test_accepted_encodings_give_the_same_text(declared: str, codec: str) -> None:
    text = TEXT.format(declared)
    assert decode(text.encode(codec), "a.xml").text == text


def test_without_a_declaration_a_file_is_utf_8() -> None:
    assert decode("<Lems description='ü'/>".encode(), "a.xml").text == "<Lems description='ü'/>"
