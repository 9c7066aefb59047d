"""The page about the command line names every option of every command, and no other."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command

from ratemlx.cli.app import COMMANDS, build_app
from tests.house.sources import CHECKOUT

PAGE = (CHECKOUT / "docs" / "command-line.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")


def _documented(command: str) -> set[str]:
    """Options in the first column of the tables of a command's section."""
    section = re.search(rf"^## ratemlx {command}$(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert section is not None, f"no section for {command}"
    cells = re.findall(r"^\| ([^|]*) \|", section[1], flags=re.MULTILINE)
    return {option for cell in cells for option in OPTION.findall(cell)}


@pytest.mark.parametrize("name", [command.__name__ for command in COMMANDS])
def test_options(name: str) -> None:
    command = get_command(build_app()).commands[name]  # type: ignore[attr-defined]
    options = {item for parameter in command.params for item in (*parameter.opts, *parameter.secondary_opts)}
    assert _documented(name) == {item for item in options if item.startswith("-")} - {"--help"}
