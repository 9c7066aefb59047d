"""Writing files so that nothing half-written is ever left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ratemlx.errors import RatemlxError


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write several texts into a folder: all are complete on disk before the first one takes its name.

    Raises RatemlxError if the folder or a file cannot be written.
    """
    temporary: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            temporary[_write_temporary(folder, text)] = folder / name
        for source, target in temporary.items():
            source.replace(target)
    except OSError as error:
        for source in temporary:
            source.unlink(missing_ok=True)
        raise RatemlxError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return list(temporary.values())


def _write_temporary(folder: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path = Path(name)
    path.chmod(0o644)
    return path
