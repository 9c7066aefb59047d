"""JSON that a person or a full disk may have had a hand in: read, or refused with the place, an excerpt and a caret.

Knows texts; nothing of what they say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ratemlx.errors import excerpt
from ratemlx.source import SourceText, Span

MAX_BYTES = 1 << 30
"""Of axes and columns alone; tables of points are in files of their own."""


class NotJsonError(Exception):
    """What is wrong with a text, with its place, an excerpt and a caret where there is one."""


def read_object(path: Path) -> dict[str, Any]:
    """The object in a file of JSON; raises NotJsonError, and OSError for a file that cannot be read."""
    if path.stat().st_size > MAX_BYTES:
        raise NotJsonError(f"{path} is longer than a GiB, which nothing is that ratemlx writes")
    return parse_object(path.read_bytes(), str(path))


def parse_object(data: bytes, name: str) -> dict[str, Any]:
    """The object that a text is in JSON; raises NotJsonError, with `name` for the text's place."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"{name} is not text: its byte {error.start + 1:,} is not UTF-8") from error
    if not text.strip():
        raise NotJsonError(f"{name} is empty")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(_explained(text, name, error)) from error
    except (RecursionError, ValueError) as error:  # brackets without end, a number of thousands of digits
        raise NotJsonError(f"{name} is not what ratemlx writes") from error
    if not isinstance(found, dict):
        raise NotJsonError(f"{name} is not what ratemlx writes: it holds no table of names and values")
    return found


def _explained(text: str, name: str, error: json.JSONDecodeError) -> str:
    """The fault with its line; a text that stops too soon is said to."""
    short = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    place = len(text.rstrip()) - 1 if short else error.pos
    span = Span(SourceText(name, text), place, place + 1)
    what = "the file is cut short: it ends here" if short else "this is not JSON"
    return "\n".join((f"{name}:{span.line}:{span.column}: {what}", *excerpt(span)))
