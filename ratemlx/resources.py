"""Where shipped files are: models, templates and headers, in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INCLUDE = PACKAGE / "runtime" / "include"


def _shipped(kind: str) -> Path:
    """`models` and `templates` stand beside the package in a checkout and inside it in a wheel."""
    inside = PACKAGE / "_data" / kind
    return inside if inside.is_dir() else PACKAGE.parent / kind


def models() -> Path:
    """Folder of the shipped model files."""
    return _shipped("models")


def templates() -> Path:
    """Folder of the Mako and Jinja templates."""
    return _shipped("templates")


def shipped_models() -> dict[str, Path]:
    """Shipped model files by name, in alphabetical order."""
    return {path.stem: path for path in sorted(models().glob("*.xml"))}
