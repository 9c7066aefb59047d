"""run.json: which run a folder holds, its columns and its sweeps. Written before anything else, deleted after it.

At the top level is the provenance that the caller gave; what the store adds is under names of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratemlx.errors import ResultError
from ratemlx.store.catalogue import Catalogue
from ratemlx.store.database import Contents
from ratemlx.store.files import told, write_bytes
from ratemlx.store.layout import RUN_FILE
from ratemlx.store.points import Registry

OURS = ("stamp", "complete", "catalogue", "sweeps")


def read_record(folder: Path) -> dict[str, Any] | None:
    """What run.json holds, or None without one; raises ResultError for what no run has written."""
    path = folder / RUN_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ResultError(f"{path} is not what a run writes")
    return data


def read_contents(folder: Path) -> Contents:
    """The run in a folder; raises ResultError where there is none, or one without a database."""
    record = read_record(folder)
    if record is None:
        raise ResultError(f"there is no run in {folder}", "give the folder that a run was told with -o")
    if any(name not in record for name in OURS):
        raise ResultError(f"{folder / RUN_FILE} is of a run without a database")
    return Contents(
        stamp=str(record["stamp"]),
        catalogue=Catalogue.from_json(record["catalogue"]),
        registry=Registry.from_json(folder, record["sweeps"]),
        provenance=provenance_of(record),
    )


def provenance_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller of the store has written into run.json."""
    return {name: value for name, value in record.items() if name not in OURS}


def write_contents(folder: Path, contents: Contents, *, complete: bool) -> None:
    """Write run.json whole or not at all; raises ResultError."""
    sweeps = contents.registry.to_json(folder)
    record = {
        **contents.provenance,
        "stamp": contents.stamp,
        "complete": complete,
        "catalogue": contents.catalogue.to_json(),
        "sweeps": sweeps,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"
    with told(f"results cannot be written to {folder}"):
        write_bytes(folder / RUN_FILE, text.encode())
