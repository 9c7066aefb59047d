"""run.json: which run a folder holds, its columns and its sweeps. Written before anything else, deleted after it.

At the top level is the provenance that the caller gave; what the store adds is under names of its own. A copy beside
the shards is for people to put back: without run.json, nobody can tell what the numbers in shards mean.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratemlx.errors import ResultError
from ratemlx.json_text import NotJsonError, read_object
from ratemlx.store.catalogue import Catalogue
from ratemlx.store.database import Contents
from ratemlx.store.files import make_folder, told, write_bytes
from ratemlx.store.layout import RUN_FILE, SHARDS
from ratemlx.store.points import Registry

OURS = ("stamp", "complete", "catalogue", "sweeps")


def read_record(folder: Path) -> dict[str, Any] | None:
    """What run.json holds, or None without one; raises ResultError, with the place, for what no run has written."""
    path = folder / RUN_FILE
    try:
        return read_object(path)
    except FileNotFoundError:
        return None
    except NotJsonError as error:
        raise ResultError(str(error), remedy(folder)) from error
    except OSError as error:
        raise ResultError(f"{path} cannot be read: {error.strerror or error}") from error


def read_contents(folder: Path) -> Contents:
    """The run in a folder; raises ResultError where there is none, or one without a database."""
    record = read_record(folder)
    if record is None:
        if spare_of(folder).is_file():
            raise ResultError(f"{folder} holds a run without its {RUN_FILE}", remedy(folder))
        raise ResultError(f"there is no run in {folder}", "give the folder that a run was told with -o")
    return contents_of(folder, record)


def contents_of(folder: Path, record: Mapping[str, Any]) -> Contents:
    """The run of which run.json says `record`; raises ResultError for what no run has written."""
    path = folder / RUN_FILE
    if missing := [name for name in OURS if name not in record]:
        raise ResultError(f"{path} does not say what a run writes there: {', '.join(missing)}", remedy(folder))
    try:
        catalogue = Catalogue.from_json(record["catalogue"])
        registry = Registry.from_json(folder, record["sweeps"])
    except ValueError as error:
        raise ResultError(f"{path} is not what a run writes: {error}", remedy(folder)) from error
    named = {item.name for item in catalogue.parameters}
    if not registry.sweeps:
        raise ResultError(f"{path} is not what a run writes: it tells of no sweep", remedy(folder))
    if odd := named ^ set(registry.parameters):
        message = f"{path} is not what a run writes: its catalogue and its sweeps differ in {', '.join(sorted(odd))}"
        raise ResultError(message, remedy(folder))
    return Contents(str(record["stamp"]), catalogue, registry, provenance_of(record))


def spare_of(folder: Path) -> Path:
    """The copy of run.json."""
    return folder / SHARDS / RUN_FILE


def remedy(folder: Path) -> str:
    """What to do about a run.json that is damaged or gone."""
    spare = spare_of(folder)
    try:
        read_object(spare)
    except (OSError, NotJsonError):
        return "put a copy of it back; without one, the same command with --restart computes everything again"
    return f"its copy is whole; put it back: cp {shlex.quote(str(spare))} {shlex.quote(str(folder / RUN_FILE))}"


def provenance_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller of the store has written into run.json."""
    return {name: value for name, value in record.items() if name not in OURS}


def write_contents(folder: Path, contents: Contents, *, complete: bool) -> None:
    """Write run.json whole or not at all, and then its copy; raises ResultError."""
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
        make_folder(folder / SHARDS)
        write_bytes(spare_of(folder), text.encode())
