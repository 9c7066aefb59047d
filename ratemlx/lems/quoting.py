"""How messages quote what stands in a file, and which known word they suggest instead. Knows no XML."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from ratemlx.lems import limits

LONGEST_QUOTE = 40


def shorten(value: str) -> str:
    """The text, cut where it is long, with characters escaped that a terminal would not show as they are."""
    shown = value if len(value) <= LONGEST_QUOTE else value[: LONGEST_QUOTE - 1] + "…"
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown)


def quote(value: str) -> str:
    """The shortened text in quotes."""
    return f"'{shorten(value)}'"


def enumerate_words(words: Iterable[str], conjunction: str = "or") -> str:
    """`a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def suggest(word: str, options: Collection[str]) -> str | None:
    """The option that was probably meant, ignoring case; None if nothing is near."""
    if len(word) > 2 * LONGEST_QUOTE or len(options) > limits.OPTIONS_COMPARED:
        return None
    folded = {option.casefold(): option for option in sorted(options, reverse=True) if len(option) <= LONGEST_QUOTE}
    matches = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(word: str, options: Collection[str]) -> str | None:
    """A hint with the option that was probably meant, or else with all of them if they are few."""
    nearest = suggest(word, options)
    if nearest is not None:
        return f"did you mean {quote(nearest)}?"
    if not options or len(options) > 12:
        return None
    return f"known here: {', '.join(map(shorten, sorted(options)))}"
