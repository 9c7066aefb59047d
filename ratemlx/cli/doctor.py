"""`ratemlx doctor`: what is installed, what is missing, and the command that installs it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ratemlx.cli.tables import print_table

if TYPE_CHECKING:
    from ratemlx.cli.checks import Finding


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Report what is installed and what is missing.

    Compilers, devices, packages and folders, and the commands that install what is missing. Exit code 1 if
    something that is needed is missing.

    \b
    Examples:
      ratemlx doctor
      ratemlx doctor --json
    """
    from ratemlx.cli.checks import examine

    findings = examine()
    if as_json:
        print(json.dumps([asdict(item) for item in findings], indent=2))
    else:
        _print(findings)
    if any(item.required and not item.found for item in findings):
        raise typer.Exit(1)


def _print(findings: tuple[Finding, ...]) -> None:
    print_table(("", "what", "found"), [(_mark(item), item.name, item.detail) for item in findings])
    for required, title in ((True, "Needed, and missing:"), (False, "Optional, and absent:")):
        lacking = [item for item in findings if item.required == required and not item.found]
        if lacking:
            print(f"\n{title}")
        for item in lacking:
            print(f"  {item.name}: {item.remedy}")


def _mark(finding: Finding) -> str:
    if finding.found:
        return "ok"
    return "MISSING" if finding.required else "absent"
