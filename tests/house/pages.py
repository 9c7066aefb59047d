"""Fenced blocks of Markdown pages: which of them are run, which are files, and what they should print.

* ```` ```sh ```` : every line is a command.
* ```` ```console ```` : lines after `$ ` are commands, the lines below each are its output. Numbers may differ, and
  `...` stands for anything.
* ```` ```python ```` : a script.
* any block with a `title="name"` : a file, written before what follows it.
* everything else is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import CHECKOUT

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?P<options>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.M | re.S
)
TITLE = re.compile(r'title="([^"]+)"')
PROMPT = "$ "
NUMBER = r"[-+]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


@dataclass(frozen=True)
class Step:
    """One thing to do: write `text` to the file `title`, or run it; `output` is what a command should print."""

    line: int
    text: str
    title: str = ""
    output: str | None = None
    is_python: bool = False


def pages() -> list[Path]:
    """README, CONTRIBUTING and all pages of the documentation."""
    return [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


def steps(markdown: str) -> Iterator[Step]:
    """What a page asks its reader to do, in order."""
    for block in FENCE.finditer(markdown):
        line = markdown.count("\n", 0, block.start()) + 2
        body = re.sub(rf"^{block['indent']}", "", block["body"], flags=re.MULTILINE)
        title = TITLE.search(block["options"])
        if title:
            yield Step(line, body, title=title[1])
        elif block["language"] == "python":
            yield Step(line, body, is_python=True)
        elif block["language"] == "sh":
            yield from (Step(line, command) for command in _logical_lines(body))
        elif block["language"] == "console":
            yield from _console(line, body)


def _logical_lines(body: str) -> list[str]:
    lines = body.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _console(line: int, body: str) -> Iterator[Step]:
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        if part.startswith(PROMPT):
            command, _, output = part.removeprefix(PROMPT).replace("\\\n", " ").partition("\n")
            yield Step(line, command, output=output)


def matches(expected: str, printed: str) -> bool:
    """Whether a printed text is what a page shows, up to numbers, blanks and what `...` leaves out."""
    pattern = ".*".join(_loose(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), flags=re.DOTALL) is not None


def _loose(text: str) -> str:
    pieces = re.split(rf"({NUMBER}|\s+)", text)
    return "".join(
        re.escape(piece) if not index % 2 else r"\s+" if piece.isspace() else NUMBER
        for index, piece in enumerate(pieces)
    )
