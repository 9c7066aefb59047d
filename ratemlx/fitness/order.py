"""Which region of the connectome each row of a reference is.

Orders come from names of regions, from numbers, or from one of two orders that FreeSurfer's parcellation is stored in.
Knows no connectivity.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import MetricError
from ratemlx.runtime.arrays import Int64s, did_you_mean
from ratemlx.runtime.untrusted import read_text, readable

OWN = "connectome"
DESIKAN_KILLIANY = (
    *("bankssts", "caudalanteriorcingulate", "caudalmiddlefrontal", "cuneus", "entorhinal", "fusiform"),
    *("inferiorparietal", "inferiortemporal", "isthmuscingulate", "lateraloccipital", "lateralorbitofrontal"),
    *("lingual", "medialorbitofrontal", "middletemporal", "parahippocampal", "paracentral", "parsopercularis"),
    *("parsorbitalis", "parstriangularis", "pericalcarine", "postcentral", "posteriorcingulate", "precentral"),
    *("precuneus", "rostralanteriorcingulate", "rostralmiddlefrontal", "superiorfrontal", "superiorparietal"),
    *("superiortemporal", "supramarginal", "frontalpole", "temporalpole", "transversetemporal", "insula"),
)
"""Cortical regions of FreeSurfer's aparc in the order of its colour table (Desikan et al. 2006, NeuroImage 31:968)."""
NAMED = {"DKrl": ("r", "l"), "DKlr": ("l", "r")}
"""Orders by name: FreeSurfer's, of one hemisphere after the other."""
HINT = (
    "say which region each row is: --reference-order FILE (names, one a line, or a JSON list of names or of numbers), "
    f"{', '.join(NAMED)}, or {OWN} if the order is the connectome's"
)


def region_order(given: str | None, own: Sequence[str], labels: Sequence[str], n_rows: int, name: str) -> Int64s:
    """Index in the connectome of each of the reference's `n_rows` rows.

    `given` is "connectome", "DKrl", "DKlr", or a file: names one a line, or JSON with a list of names or of numbers
    from 0, or with several lists of which FILE:NAME chooses one. Without it the reference's `own` names are used.
    `labels` are the connectome's names. Raises MetricError for what does not fit.
    """
    if given is None and not own:
        raise MetricError(f"the order of the regions in {name} is not known", HINT)
    if given == OWN:
        found = np.arange(len(labels))
        what = "the connectome"
    elif given is None:
        found, what = _by_name(own, labels, name), f"the list of names in {name}"
    elif given in NAMED:
        named = [f"{side}_{region}" for side in NAMED[given] for region in DESIKAN_KILLIANY]
        found, what = _by_name(named, labels, f"the order {given}"), f"the order {given}"
    else:
        entries, what = _entries_of_file(given)
        if all(isinstance(item, int) and not isinstance(item, bool) for item in entries):
            found = _by_number(entries, len(labels), what)
        else:
            found = _by_name([str(item) for item in entries], labels, what)
    if len(found) != n_rows:
        raise MetricError(f"{name} has {n_rows} regions, {what} has {len(found)}", HINT)
    return found


def _by_name(names: Sequence[str], labels: Sequence[str], what: str) -> Int64s:
    places = {label: index for index, label in enumerate(labels)}
    relaxed = {label.strip().casefold(): index for label, index in places.items()}
    found = [places.get(name, relaxed.get(name.strip().casefold(), -1)) for name in names]
    missing = [name for name, index in zip(names, found, strict=True) if index < 0]
    if missing:
        raise MetricError(
            f"{what}: {len(missing)} of {len(names)} regions are not in the connectome, first {missing[0][:80]!r}",
            did_you_mean(missing[0][:80], labels),
        )
    return _unique(found, what, labels)


def _by_number(numbers: Sequence[int], n_regions: int, what: str) -> Int64s:
    for number in numbers:
        if not 0 <= number < n_regions:
            raise MetricError(
                f"{what}: {number:.20g} is no region", f"the connectome's are counted 0 to {n_regions - 1}"
            )
    return _unique(numbers, what)


def _unique(found: Sequence[int], what: str, labels: Sequence[str] = ()) -> Int64s:
    values, counts = np.unique(found, return_counts=True)
    if (counts > 1).any():
        twice = int(values[counts.argmax()])
        raise MetricError(f"{what} names the region {str(labels[twice] if labels else twice)[:80]} more than once")
    return np.asarray(found, dtype=np.int64)


def _entries_of_file(given: str) -> tuple[list[Any], str]:
    """Names or numbers from a file, and what to call it."""
    path, wanted = Path(given).expanduser(), ""
    if not path.exists() and ":" in given:
        first, _, wanted = given.rpartition(":")
        path = Path(first).expanduser()
    if not path.is_file():
        raise MetricError(f"there is no order of regions {given[:80]!r}", HINT)
    with readable(path.name, MetricError), path.open("rb") as stream:
        text = read_text(stream, path.name, MetricError)
    if path.suffix == ".json":
        return _entries_of_json(text, wanted, path.name)
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    # The first column: TVB's centres.txt has coordinates after the names.
    return [line.replace(",", " ").split()[0].strip("\"'") for line in lines if line.strip(", ")], path.name


def _entries_of_json(text: str, wanted: str, name: str) -> tuple[list[Any], str]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MetricError(f"{name} is not JSON: {str(error)[:100]}") from error
    if isinstance(data, dict):
        lists = [key for key, value in data.items() if isinstance(value, list)]
        if not wanted and len(lists) == 1:
            wanted = lists[0]
        if wanted not in lists:
            told = f"no order {wanted!r:.80}" if wanted else f"{len(lists)} orders"
            raise MetricError(f"{name} has {told}", f"{name}:NAME chooses one of: {', '.join(lists)[:200]}")
        data, name = data[wanted], f"{name}:{wanted}"
    if not isinstance(data, list) or not data or not all(isinstance(item, str | int) for item in data):
        raise MetricError(f"{name} holds no list of names or numbers of regions")
    return data, name
